/* Stands behind classroom/ahead.c. Sets the clock of one process: LD_PRELOAD it, and name in CLOCK_AHEAD_FILE the
 * file that says by how much it is ahead. Clocks that nobody can set are left alone. With CLOCK_AHEAD_UPTIME the uptime of
 * the machine is ahead as well, so that the time has passed and nobody has set the clock; for that disk.c has to stand
 * before this one, which opens all files by openat64. */

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static long ahead(void)
{
	return ahead_by("CLOCK_AHEAD_FILE");
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += ahead();
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &precise);
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now)
{
	struct timespec precise;

	clock_gettime(CLOCK_REALTIME, &precise);
	if (now)
		*now = precise.tv_sec;
	return precise.tv_sec;
}

/* A file in memory that says what /proc/uptime will say then. Made by system calls, so that nobody is asked about it. */
static int uptime_then(void)
{
	int real = (int)syscall(SYS_openat, AT_FDCWD, "/proc/uptime", O_RDONLY | O_CLOEXEC);
	int made = (int)syscall(SYS_memfd_create, "uptime", MFD_CLOEXEC);
	char text[64] = "";
	double up = 0;

	if (real < 0 || made < 0)
		return -1;
	if (syscall(SYS_read, real, text, sizeof text - 1) > 0)
		up = strtod(text, NULL);
	syscall(SYS_close, real);
	snprintf(text, sizeof text, "%.2f 0.00\n", up + (double)ahead());
	syscall(SYS_write, made, text, strlen(text));
	syscall(SYS_lseek, made, 0, SEEK_SET);
	return made;
}

int openat64(int folder, const char *path, int flags, ...)
{
	typeof(&openat64) next = (typeof(&openat64))dlsym(RTLD_NEXT, "openat64");
	mode_t mode = 0;
	va_list rest;

	if (getenv("CLOCK_AHEAD_UPTIME") && strcmp(path, "/proc/uptime") == 0)
		return uptime_then();
	va_start(rest, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(rest, mode_t);
	va_end(rest);
	return next(folder, path, flags, mode);
}
