/*
 * The border to the disk and to everything else: loaded into the service by LD_PRELOAD, it asks
 * before the service does anything that outlives it.
 *
 * Asked for are: writes, syncs, truncations, new names and removals of files; files opened for
 * writing; connections; datagrams. Each question is a connection to the Unix socket FAULTS_DOOR:
 *
 *     us:   PROCESS TAB THREAD TAB VERB TAB PATH NEWLINE
 *     them: one byte, what to do       us (if it was done): 'd'       them: one byte, what to tell
 *
 * The byte is 'g' for "go on" or stands for an error (see error_of). An error in the first place
 * means that nothing is done, in the second that it is done all the same. No answer at all means to
 * wait: whoever listens kills us, or is slow on purpose.
 *
 * Of the writes to one file only the first after its last sync is asked for: it begins a transaction,
 * the sync ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The function of that name that would have been called without us. */
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static int error_of(char answer)
{
    switch (answer) {
    case 'g': return 0;
    case 'n': return ENOSPC;
    case 'r': return EROFS;
    default: return EIO;
    }
}

static int hear(int line)
{
    char answer;
    while (read(line, &answer, 1) != 1)
        if (errno != EINTR)
            for (;;)
                pause();
    return error_of(answer);
}

/* Asks; *line is the connection. Gives an error number, or 0 for "do it". */
static int ask(const char *verb, const char *path, int *line)
{
    struct sockaddr_un door = {.sun_family = AF_UNIX};
    char thread[17] = "", words[PATH_MAX + 64];
    int length, saved = errno;

    snprintf(door.sun_path, sizeof door.sun_path, "%s", getenv("FAULTS_DOOR"));
    prctl(PR_GET_NAME, thread);
    length = snprintf(words, sizeof words, "%d\t%s\t%s\t%s\n", getpid(), thread, verb, path);
    *line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*line < 0 || REAL(connect)(*line, (void *)&door, sizeof door) < 0 ||
        send(*line, words, length, MSG_NOSIGNAL) != length)
        abort();
    errno = saved;
    return hear(*line);
}

/* Tells that it is done. Gives an error number, or 0 for "tell the truth". */
static int tell(int line)
{
    int saved = errno, error;

    send(line, "d", 1, MSG_NOSIGNAL);
    error = hear(line);
    errno = saved;
    return error;
}

/* Asks, does it if it may, and returns what is to be told. */
#define PASS(verb, path, type, call)                                        \
    do {                                                                    \
        int line, error = ask(verb, path, &line);                           \
        type result = -1;                                                   \
        if (!error) {                                                       \
            result = (call);                                                \
            error = tell(line);                                             \
        }                                                                   \
        int saved = error ? error : errno;                                  \
        close(line);                                                        \
        errno = saved;                                                      \
        return error ? (type)-1 : result;                                   \
    } while (0)

/* The path behind a descriptor; false if it has none that stays. */
static int path_of(int fd, char *path)
{
    char link[64];
    ssize_t length;
    int saved = errno;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, PATH_MAX - 1);
    errno = saved;
    path[length < 0 ? 0 : length] = 0;
    return path[0] == '/' && (strncmp(path, "/dev/", 5) != 0 || strncmp(path, "/dev/shm/", 9) == 0);
}

/* What a path means below a descriptor of a folder. */
static const char *join(int folder, const char *name, char *path)
{
    char whole[PATH_MAX];

    if (name[0] == '/' || !path_of(folder, whole))
        return name;
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", whole, name);
    return path;
}

/* Which files were written to since their last sync: a mark for each hash of a name. */
static atomic_int marks[64];

static atomic_int *mark_of(const char *path)
{
    unsigned long hash = 5381;
    while (*path)
        hash = hash * 33 + (unsigned char)*path++;
    return &marks[hash % 64];
}

/* Only a write that went well begins a transaction. */
#define WRITE(fd, call)                                                     \
    char path[PATH_MAX];                                                    \
    if (!path_of(fd, path) || atomic_load(mark_of(path)))                   \
        return (call);                                                      \
    PASS("write", path, ssize_t, (call));

static ssize_t asked_write(int fd, const void *bytes, size_t count)
{
    WRITE(fd, REAL(write)(fd, bytes, count))
}

static ssize_t asked_pwrite(int fd, const void *bytes, size_t count, off64_t offset)
{
    WRITE(fd, REAL(pwrite64)(fd, bytes, count, offset))
}

static ssize_t marked(int fd, ssize_t result)
{
    char path[PATH_MAX];
    if (result >= 0 && path_of(fd, path))
        atomic_store(mark_of(path), 1);
    return result;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    return marked(fd, asked_write(fd, bytes, count));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    return marked(fd, asked_pwrite(fd, bytes, count, offset));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite64(fd, bytes, count, offset);
}

int fdatasync(int fd)
{
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return REAL(fdatasync)(fd);
    atomic_store(mark_of(path), 0);
    PASS("sync", path, int, REAL(fdatasync)(fd));
}

int fsync(int fd)
{
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return REAL(fsync)(fd);
    atomic_store(mark_of(path), 0);
    PASS("sync", path, int, REAL(fsync)(fd));
}

int ftruncate64(int fd, off64_t length)
{
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return REAL(ftruncate64)(fd, length);
    PASS("truncate", path, int, REAL(ftruncate64)(fd, length));
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

int unlink(const char *path)
{
    PASS("remove", path, int, REAL(unlink)(path));
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    PASS("remove", join(folder, name, path), int, REAL(unlinkat)(folder, name, flags));
}

int rmdir(const char *path)
{
    PASS("remove", path, int, REAL(rmdir)(path));
}

int mkdir(const char *path, mode_t mode)
{
    PASS("make", path, int, REAL(mkdir)(path, mode));
}

int rename(const char *from, const char *to)
{
    PASS("make", to, int, REAL(rename)(from, to));
}

/* A file opened for writing is asked for: "make" if it is not there yet, else "open". */
static int opens(int folder, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];

    if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT))
        return REAL(openat64)(folder, name, flags, mode);
    PASS(faccessat(folder, name, F_OK, 0) ? "make" : "open", join(folder, name, path), int,
         REAL(openat64)(folder, name, flags, mode));
}

#define MODE_AFTER(flags)                                                   \
    mode_t mode = 0;                                                        \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                  \
        va_list rest;                                                       \
        va_start(rest, flags);                                              \
        mode = va_arg(rest, mode_t);                                        \
        va_end(rest);                                                       \
    }

int open(const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opens(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opens(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opens(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return opens(folder, path, flags | O_LARGEFILE, mode);
}

static const char *address(const struct sockaddr *to, char *text)
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *four = (const void *)to;
    const struct sockaddr_in6 *six = (const void *)to;

    if (to->sa_family == AF_UNIX)
        return ((const struct sockaddr_un *)to)->sun_path;
    if (to->sa_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
    else if (to->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
    /* The port stands in the same place of both. */
    snprintf(text, PATH_MAX, "%s:%d", host, ntohs(four->sin_port));
    return text;
}

/* A connection to a Unix socket carries the process and the thread that made it as its own name. */
static void sign(int fd)
{
    static atomic_int count;
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    char thread[17] = "";
    int length;

    prctl(PR_GET_NAME, thread);
    length = snprintf(own.sun_path + 1, sizeof own.sun_path - 1, "%d\t%s\t%d", getpid(), thread,
                      atomic_fetch_add(&count, 1));
    REAL(bind)(fd, (void *)&own, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    char text[PATH_MAX];
    if (to->sa_family == AF_UNIX)
        sign(fd);
    PASS("connect", address(to, text), int, REAL(connect)(fd, to, length));
}

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *to,
               socklen_t length)
{
    char text[PATH_MAX];
    if (!to)
        return REAL(sendto)(fd, bytes, count, flags, to, length);
    PASS("connect", address(to, text), ssize_t,
         REAL(sendto)(fd, bytes, count, flags, to, length));
}

int bind(int fd, const struct sockaddr *to, socklen_t length)
{
    char text[PATH_MAX];
    if (to->sa_family != AF_UNIX)
        return REAL(bind)(fd, to, length);
    PASS("make", address(to, text), int, REAL(bind)(fd, to, length));
}
