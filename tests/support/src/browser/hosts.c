/* Every name of the hosts that tests invent is this machine: LD_PRELOAD it. Other names are resolved as ever. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

static int ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcmp(name + length - tail, end) == 0;
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
	static int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	if (name && (ends_in(name, ".example.org") || ends_in(name, ".test")))
		name = "127.0.0.1";
	return next(name, service, hints, found);
}
