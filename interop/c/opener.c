/* Opens the shared object that is named and runs its `program`. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    int (*program)(void) = object == NULL ? NULL : (int (*)(void))dlsym(object, "program");

    if (program == NULL) {
        fprintf(stderr, "opener: %s\n", argc == 2 ? dlerror() : "wants the path of an object");
        return 2;
    }
    return program();
}
