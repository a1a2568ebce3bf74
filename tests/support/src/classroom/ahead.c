/* What the libraries that change a clock share: by how many seconds it is ahead, as a file says that an environment
 * variable names. The file is read at every look at the clock; without it the clock is right. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long ahead_by(const char *variable)
{
	int before = errno;
	const char *path = getenv(variable);
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
