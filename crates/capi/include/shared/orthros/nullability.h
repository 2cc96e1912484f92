/* What may be null, said to compilers that ask; to others nothing. */
#ifndef ORTHROS_NULLABILITY_H
#define ORTHROS_NULLABILITY_H

#ifdef __has_feature
#if __has_feature(nullability)
#define GSS_NONNULL _Nonnull
#define GSS_NULLABLE _Nullable
/* The words are no part of C, which -Wpedantic would say of each. */
#define GSS_NULLABILITY_BEGIN \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wnullability-extension\"")
#define GSS_NULLABILITY_END _Pragma("clang diagnostic pop")
#endif
#endif

#ifndef GSS_NONNULL
#define GSS_NONNULL
#define GSS_NULLABLE
#define GSS_NULLABILITY_BEGIN
#define GSS_NULLABILITY_END
#endif

#endif
