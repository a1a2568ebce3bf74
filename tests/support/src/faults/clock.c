/* Sets the clock of one process: LD_PRELOAD it, and name in CLOCK_AHEAD_FILE a file that holds by how
 * many seconds the clock is ahead. The file is read at every look at the clock; without it the clock
 * is right. Clocks that nobody can set are left alone. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void)
{
	int before = errno;
	const char *path = getenv("CLOCK_AHEAD_FILE");
	int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[32] = "";
	long seconds = 0;

	if (file >= 0) {
		if (read(file, text, sizeof text - 1) > 0)
			seconds = strtol(text, NULL, 10);
		close(file);
	}
	errno = before;
	return seconds;
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
