/* Callers in odd states. The first argument says which, the second is the target, and a third what that one needs. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

static const char *service, *needed;
static FILE *says;

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(says, "not so: %s\n", what);
        fflush(says);
        _exit(1);
    }
}

/* A library by the names of its functions: there may be two in the process. */
struct library {
    OM_uint32 (*import_name)(OM_uint32 *, gss_buffer_t, gss_OID, gss_name_t *);
    OM_uint32 (*release_name)(OM_uint32 *, gss_name_t *);
    OM_uint32 (*initiate)(OM_uint32 *, gss_cred_id_t, gss_ctx_id_t *, gss_name_t, gss_OID, OM_uint32, OM_uint32,
                          gss_channel_bindings_t, gss_buffer_t, gss_OID *, gss_buffer_t, OM_uint32 *, OM_uint32 *);
    OM_uint32 (*accept)(OM_uint32 *, gss_ctx_id_t *, gss_cred_id_t, gss_buffer_t, gss_channel_bindings_t, gss_name_t *,
                        gss_OID *, gss_buffer_t, OM_uint32 *, OM_uint32 *, gss_cred_id_t *);
    OM_uint32 (*wrap)(OM_uint32 *, gss_ctx_id_t, int, gss_qop_t, gss_buffer_t, int *, gss_buffer_t);
    OM_uint32 (*unwrap)(OM_uint32 *, gss_ctx_id_t, gss_buffer_t, gss_buffer_t, int *, gss_qop_t *);
    OM_uint32 (*delete_context)(OM_uint32 *, gss_ctx_id_t *, gss_buffer_t);
    OM_uint32 (*release_buffer)(OM_uint32 *, gss_buffer_t);
};

static const struct library linked = {
    gss_import_name, gss_release_name, gss_init_sec_context, gss_accept_sec_context, gss_wrap,
    gss_unwrap,      gss_delete_sec_context, gss_release_buffer,
};

static struct library opened(void *of)
{
    struct library library;
#define FIND(field, name)                          \
    *(void **)&library.field = dlsym(of, name);    \
    expect(library.field != NULL, name)
    FIND(import_name, "gss_import_name");
    FIND(release_name, "gss_release_name");
    FIND(initiate, "gss_init_sec_context");
    FIND(accept, "gss_accept_sec_context");
    FIND(wrap, "gss_wrap");
    FIND(unwrap, "gss_unwrap");
    FIND(delete_context, "gss_delete_sec_context");
    FIND(release_buffer, "gss_release_buffer");
    return library;
}

/* A context between two libraries: the first error, or GSS_S_COMPLETE. */
static OM_uint32 establish(const struct library *one, const struct library *other, gss_ctx_id_t *here, gss_ctx_id_t *there)
{
    OM_uint32 minor, major, accepted;
    gss_buffer_desc name = {strlen(service), (void *)service}, token, back, none;
    gss_OID_desc host = {10, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
    gss_name_t target;

    *here = *there = GSS_C_NO_CONTEXT;
    major = one->import_name(&minor, &name, &host, &target);
    if (GSS_ERROR(major))
        return major;
    major = one->initiate(&minor, NULL, here, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &token, NULL, NULL);
    if (!GSS_ERROR(major)) {
        accepted = other->accept(&minor, there, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL);
        if (GSS_ERROR(accepted)) {
            major = accepted;
        } else {
            major = one->initiate(&minor, NULL, here, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &back, NULL, &none, NULL,
                                  NULL);
            one->release_buffer(&minor, &none);
        }
        other->release_buffer(&minor, &back);
    }
    one->release_buffer(&minor, &token);
    one->release_name(&minor, &target);
    return major;
}

static int speaks(const struct library *one, const struct library *other, gss_ctx_id_t here, gss_ctx_id_t there)
{
    OM_uint32 minor;
    gss_buffer_desc in = {5, (void *)"hello"}, token, out;
    int so = one->wrap(&minor, here, 1, 0, &in, NULL, &token) == GSS_S_COMPLETE &&
             !GSS_ERROR(other->unwrap(&minor, there, &token, &out, NULL, NULL)) && out.length == 5 &&
             memcmp(out.value, "hello", 5) == 0;
    one->release_buffer(&minor, &token);
    other->release_buffer(&minor, &out);
    return so;
}

static void end(const struct library *one, const struct library *other, gss_ctx_id_t here, gss_ctx_id_t there)
{
    OM_uint32 minor;
    one->delete_context(&minor, &here, NULL);
    other->delete_context(&minor, &there, NULL);
}

/* A whole context, or the error that there is none for. */
static OM_uint32 whole(void)
{
    gss_ctx_id_t here, there;
    OM_uint32 major = establish(&linked, &linked, &here, &there);
    if (!GSS_ERROR(major))
        expect(speaks(&linked, &linked, here, there), "a context that is up speaks");
    end(&linked, &linked, here, there);
    return major;
}

static void limit(int which, rlim_t soft)
{
    struct rlimit now;
    expect(getrlimit(which, &now) == 0, "a limit");
    now.rlim_cur = soft;
    expect(setrlimit(which, &now) == 0, "a limit");
}

/* A child does it; it has to end by itself, with this status, in time. */
static void child(void (*body)(void), int status, const char *what)
{
    int ended = 0;
    pid_t pid = fork();
    expect(pid >= 0, "a child");
    if (pid == 0) {
        alarm(30);
        body();
        _exit(0);
    }
    expect(waitpid(pid, &ended, 0) == pid, "the child's end");
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
        fprintf(says, "%s: ended by signal %d, status %d\n", what, WIFSIGNALED(ended) ? WTERMSIG(ended) : 0,
                WEXITSTATUS(ended));
    expect(WIFEXITED(ended) && WEXITSTATUS(ended) == status, what);
}

/* ---- No file may grow: sshd's child. A write to one would end the process by a signal. ---- */

static gss_ctx_id_t before_here, before_there;

static void without_files(void)
{
    OM_uint32 minor, major;
    gss_buffer_desc token;
    limit(RLIMIT_FSIZE, 0);
    if (before_here == GSS_C_NO_CONTEXT) {
        fprintf(says, "without files: %08x\n", (unsigned)whole());
        fflush(says);
        return;
    }
    expect(speaks(&linked, &linked, before_here, before_there), "a context goes on");
    major = gss_export_sec_context(&minor, &before_there, &token);
    expect(GSS_ERROR(major) ? token.length == 0 && before_there != GSS_C_NO_CONTEXT : token.length != 0, "an export or none");
    if (!GSS_ERROR(major))
        gss_import_sec_context(&minor, &token, &before_there);
    fprintf(says, "without files: %08x\n", (unsigned)whole());
    fflush(says);
}

static void files(void)
{
    child(without_files, 0, "a library that never was used");
    expect(establish(&linked, &linked, &before_here, &before_there) == GSS_S_COMPLETE, "a context");
    child(without_files, 0, "a library that is in use");
}

/* ---- Few descriptors. ---- */

static rlim_t descriptors_left;

static void with_few(void)
{
    OM_uint32 major;
    limit(RLIMIT_NOFILE, descriptors_left);
    major = whole();
    expect(!GSS_ERROR(major) || GSS_ERROR(major) != 0, "it comes back");
    limit(RLIMIT_NOFILE, 64);
    major = whole();
    if (GSS_ERROR(major))
        fprintf(says, "after %d: %08x\n", (int)descriptors_left, (unsigned)major);
    expect(!GSS_ERROR(major), "with enough of them it works");
}

static void few(void)
{
    for (descriptors_left = 0; descriptors_left < 24; descriptors_left++)
        child(with_few, 0, "few descriptors");
}

/* ---- Standard input, output and error are closed: no file of the library's may come to lie there. ---- */

static void closed(void)
{
    int kept = fcntl(1, F_DUPFD_CLOEXEC, 100);
    expect(kept >= 100, "a descriptor");
    says = fdopen(kept, "w");
    for (int i = 0; i < 3; i++)
        close(i);
    expect(whole() == GSS_S_COMPLETE, "a context");
    for (int i = 0; i < 3; i++)
        expect(fcntl(i, F_GETFD) == -1 && errno == EBADF, "a descriptor below three is the program's");
}

/* ---- Unloaded and loaded again. ---- */

static void unload(void)
{
    for (int i = 0; i < 50; i++) {
        void *of = dlopen(needed, RTLD_NOW | RTLD_LOCAL);
        struct library library;
        gss_ctx_id_t here, there;
        expect(of != NULL, "the library");
        library = opened(of);
        expect(establish(&library, &library, &here, &there) == GSS_S_COMPLETE, "a context");
        expect(speaks(&library, &library, here, there), "it speaks");
        end(&library, &library, here, there);
        expect(dlclose(of) == 0, "it is closed");
    }
}

/* ---- Threads that are in calls all the time. ---- */

static void *busy(void *ignored)
{
    for (;;)
        whole();
    return ignored;
}

static void start_threads(int count)
{
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        expect(pthread_create(&thread, NULL, busy, NULL) == 0, "a thread");
    }
}

static int waited;

static void leave(void)
{
    start_threads(3);
    usleep((useconds_t)waited);
    exit(7);
}

static void exits(void)
{
    for (int i = 0; i < 30; i++) {
        waited = i * 700;
        child(leave, 7, "exit() amid calls");
    }
}

static void go_on(void)
{
    expect(speaks(&linked, &linked, before_here, before_there), "the parent's context goes on");
    expect(whole() == GSS_S_COMPLETE, "a context of its own");
}

static void forks(void)
{
    expect(establish(&linked, &linked, &before_here, &before_there) == GSS_S_COMPLETE, "a context");
    start_threads(3);
    for (int i = 0; i < 150; i++)
        child(go_on, 0, "a child of a parent with threads");
}

/* ---- Set-user-id: nothing of the environment counts. The same program without it shows that each counts else. ---- */

static int hears(const char *variable, const char *value, gss_cred_usage_t usage, OM_uint32 *major)
{
    OM_uint32 minor, now;
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
    char *own = getenv(variable) ? strdup(getenv(variable)) : NULL;
    OM_uint32 before = gss_acquire_cred(&minor, NULL, 0, NULL, usage, &cred, NULL, NULL);
    gss_release_cred(&minor, &cred);
    setenv(variable, value, 1);
    now = gss_acquire_cred(&minor, NULL, 0, NULL, usage, &cred, NULL, NULL);
    gss_release_cred(&minor, &cred);
    if (own != NULL)
        setenv(variable, own, 1);
    else
        unsetenv(variable);
    *major = now;
    return before != now;
}

static void environment(void)
{
    OM_uint32 minor, major = 0;
    int secure = getauxval(AT_SECURE) != 0, differs = 0;
    gss_buffer_desc spelt = {5, (void *)"alice"}, shown = GSS_C_EMPTY_BUFFER;
    gss_name_t name, known = GSS_C_NO_NAME;

    fprintf(says, "secure: %d\n", secure);
    expect(gss_import_name(&minor, &spelt, GSS_C_NT_USER_NAME, &name) == GSS_S_COMPLETE, "a name");
    /* KRB5_CONFIG: the realm that it names. */
    if (!GSS_ERROR(gss_canonicalize_name(&minor, name, GSS_C_NO_OID, &known)))
        gss_display_name(&minor, known, &shown, NULL);
    fprintf(says, "KRB5_CONFIG: %d\n", shown.length > 8 && memmem(shown.value, shown.length, "ODD.TEST", 8) != NULL);
    gss_release_buffer(&minor, &shown);
    gss_release_name(&minor, &known);
    gss_release_name(&minor, &name);
    /* KRB5_TRACE: the scenario looks for the file. */
    differs = hears("KRB5CCNAME", "FILE:/nonexistent", GSS_C_INITIATE, &major);
    fprintf(says, "KRB5CCNAME: %d\n", differs || !GSS_ERROR(major));
    differs = hears("KRB5_KTNAME", "FILE:/nonexistent", GSS_C_ACCEPT, &major);
    fprintf(says, "KRB5_KTNAME: %d\n", differs);
    if (needed != NULL) {
        /* Malformed, it fails every call that hears of it. */
        gss_OID_set mechs = GSS_C_NO_OID_SET;
        setenv("ORTHROS_TRANSFER", "nonsense", 1);
        spelt.value = (void *)service;
        spelt.length = strlen(service);
        expect(gss_import_name(&minor, &spelt, GSS_C_NT_HOSTBASED_SERVICE, &name) == GSS_S_COMPLETE, "a service");
        {
            int same = 0;
            major = gss_compare_name(&minor, name, name, &same);
        }
        fprintf(says, "ORTHROS_TRANSFER: %d\n", GSS_ERROR(major) != 0);
        gss_release_name(&minor, &name);
        gss_release_oid_set(&minor, &mechs);
    }
}

/* ---- What sshd's child may call, and nothing else: the filter ends the process at anything else. Contexts go on and say
 * what they know; new credentials need files. ---- */

static void confine(void)
{
    static const int allowed[] = {SYS_brk, SYS_clock_gettime, SYS_clock_nanosleep, SYS_close, SYS_exit, SYS_exit_group,
                                  SYS_futex, SYS_geteuid, SYS_getpgid, SYS_getpid, SYS_getrandom, SYS_gettimeofday,
                                  SYS_getuid, SYS_madvise, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap, SYS_nanosleep,
                                  SYS_poll, SYS_pselect6, SYS_read, SYS_rt_sigprocmask, SYS_select, SYS_shutdown,
                                  SYS_time, SYS_write};
    static const int denied[] = {SYS_lstat, SYS_newfstatat, SYS_fstat, SYS_open, SYS_openat, SYS_stat, SYS_shmget,
                                 SYS_shmat, SYS_shmdt};
    struct sock_filter filter[128];
    struct sock_fprog program;
    unsigned short count = 0;
#define PUT(made)                          \
    do {                                   \
        struct sock_filter one = made;     \
        filter[count++] = one;             \
    } while (0)
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], 0, 1));
        PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)denied[i], 0, 1));
        PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES));
    }
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    program.len = count;
    program.filter = filter;
    expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new privileges");
    expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "a filter");
}

static void told(OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc story;
    expect(gss_display_status(&ignored, minor, GSS_C_MECH_CODE, NULL, &more, &story) == GSS_S_COMPLETE && story.length > 0,
           "a story");
    gss_release_buffer(&ignored, &story);
}

static void confined(void)
{
    OM_uint32 minor, left;
    gss_name_t from, known;
    gss_buffer_desc shown, junk = {4, (void *)"junk"}, user = {5, (void *)"alice"}, out;
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, 0);
    limit(RLIMIT_NPROC, 0);
    confine();
    expect(speaks(&linked, &linked, before_here, before_there), "a context goes on");
    expect(gss_context_time(&minor, before_here, &left) == GSS_S_COMPLETE, "its time");
    expect(gss_inquire_context(&minor, before_there, &from, NULL, NULL, NULL, NULL, NULL, NULL) == GSS_S_COMPLETE, "its names");
    expect(gss_display_name(&minor, from, &shown, NULL) == GSS_S_COMPLETE, "a name");
    gss_release_buffer(&minor, &shown);
    gss_release_name(&minor, &from);
    expect(GSS_ERROR(gss_unwrap(&minor, before_there, &junk, &out, NULL, NULL)), "junk");
    told(minor);
    /* The configuration is what it was, though nobody may look at it any more. */
    expect(gss_import_name(&minor, &user, GSS_C_NT_USER_NAME, &from) == GSS_S_COMPLETE, "a user's name");
    expect(gss_canonicalize_name(&minor, from, GSS_C_NO_OID, &known) == GSS_S_COMPLETE, "a user's principal");
    gss_display_name(&minor, known, &shown, NULL);
    expect(memmem(shown.value, shown.length, "alice@ODD.TEST", 14) != NULL, "the realm that was configured");
    gss_release_buffer(&minor, &shown);
    gss_release_name(&minor, &from);
    gss_release_name(&minor, &known);
    end(&linked, &linked, before_here, before_there);
}

static void seccomp(void)
{
    expect(establish(&linked, &linked, &before_here, &before_there) == GSS_S_COMPLETE, "a context");
    child(confined, 0, "a confined child");
}

/* ---- No /etc, no /dev, no /proc. ---- */

static void jailed(void)
{
    OM_uint32 minor, major;
    gss_buffer_desc token;
    gss_ctx_id_t back;
    expect(chroot(needed) == 0 && chdir("/") == 0, "a root");
    if (before_here != GSS_C_NO_CONTEXT) {
        expect(speaks(&linked, &linked, before_here, before_there), "a context goes on");
        major = gss_export_sec_context(&minor, &before_there, &token);
        if (GSS_ERROR(major)) {
            told(minor);
            expect(token.length == 0 && speaks(&linked, &linked, before_here, before_there), "it is kept");
        } else {
            expect(gss_import_sec_context(&minor, &token, &back) == GSS_S_COMPLETE, "it comes back");
            expect(speaks(&linked, &linked, before_here, back), "and goes on");
        }
    }
    expect(GSS_ERROR(whole()), "there is nothing to make a context of");
}

static void chroots(void)
{
    before_here = before_there = GSS_C_NO_CONTEXT;
    child(jailed, 0, "a library that never was used");
    expect(establish(&linked, &linked, &before_here, &before_there) == GSS_S_COMPLETE, "a context");
    child(jailed, 0, "a library that is in use");
}

/* ---- Turkish, where the small letter of I is another. ---- */

static void turkish(void)
{
    OM_uint32 minor;
    gss_buffer_desc spelt = {14, (void *)"HOST@LOCALHOST"}, shown;
    gss_name_t name, known;
    expect(setlocale(LC_ALL, "tr_TR.UTF-8") != NULL, "the locale");
    expect(whole() == GSS_S_COMPLETE, "a context");
    spelt.value = (void *)"imap@LOCALHOST";
    expect(gss_import_name(&minor, &spelt, GSS_C_NT_HOSTBASED_SERVICE, &name) == GSS_S_COMPLETE, "a name");
    expect(gss_canonicalize_name(&minor, name, GSS_C_NO_OID, &known) == GSS_S_COMPLETE, "its principal");
    gss_display_name(&minor, known, &shown, NULL);
    expect(memmem(shown.value, shown.length, "imap/localhost", 14) != NULL, "letters as in English");
    gss_release_buffer(&minor, &shown);
    gss_release_name(&minor, &name);
    gss_release_name(&minor, &known);
}

/* ---- MIT's library beside ours. ---- */

static void both(void)
{
    void *of = dlopen(needed, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    struct library other;
    expect(of != NULL, "the other library");
    other = opened(of);
    expect((void *)other.wrap != (void *)linked.wrap, "they are two");
    for (int i = 0; i < 20; i++) {
        gss_ctx_id_t here, there, third;
        expect(establish(&linked, &other, &here, &there) == GSS_S_COMPLETE, "ours initiates");
        expect(speaks(&linked, &other, here, there) && speaks(&other, &linked, there, here), "they speak");
        end(&linked, &other, here, there);
        expect(establish(&other, &linked, &here, &there) == GSS_S_COMPLETE, "ours accepts");
        expect(speaks(&other, &linked, here, there) && speaks(&linked, &other, there, here), "they speak");
        /* A handle of the other's is none of ours. */
        third = here;
        {
            OM_uint32 minor, left;
            expect(gss_context_time(&minor, third, &left) == GSS_S_NO_CONTEXT, "a handle of the other library's");
        }
        end(&other, &linked, here, there);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*body)(void);
    } states[] = {
        {"files", files},     {"few", few},         {"closed", closed},   {"unload", unload}, {"exits", exits},
        {"forks", forks},     {"environment", environment}, {"seccomp", seccomp}, {"chroots", chroots},
        {"turkish", turkish}, {"both", both},
    };

    says = stdout;
    if (argc < 3)
        return 2;
    service = argv[2];
    needed = argc > 3 ? argv[3] : NULL;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(argv[1], states[i].name) == 0) {
            states[i].body();
            fprintf(says, "all held\n");
            fflush(says);
            return 0;
        }
    return 2;
}
