// What the C yardsticks share: the listening socket and the answer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char reply[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";

struct buffers { char in[64 << 10], out[64 << 10]; };
struct small_buffers { char in[4 << 10], out[4 << 10]; };

// Fills out with one reply for each blank line of the input and returns the length. Replies that do not fit are left out.
static size_t replies(const char *in, size_t n, char *out, size_t room) {
    size_t used = 0, size = sizeof reply - 1;
    const char *end = in + n;
    for (const char *at = in; (at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) && used + size <= room; at += 4) {
        memcpy(out + used, reply, size);
        used += size;
    }
    return used;
}

// Sends what in asks for; false when the peer is gone.
static int send_answer(int fd, const char *in, size_t n, char *out, size_t room, int http) {
    size_t size = http ? replies(in, n, out, room) : n;
    return !size || write(fd, http ? out : in, size) == (ssize_t)size;
}

#define answer(fd, b, n, http) send_answer(fd, (b)->in, n, (b)->out, sizeof(b)->out, http)

static inline void no_delay(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Listens on the loopback port that the command line names, or says what is wrong and exits with 2.
static int listen_on(int argc, char **argv, int flags, int *http) {
    if (argc != 3 || (strcmp(argv[2], "echo") && strcmp(argv[2], "http"))) {
        fprintf(stderr, "usage: %s PORT echo|http\n", argv[0]);
        exit(2);
    }
    *http = !strcmp(argv[2], "http");
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096)) {
        perror(argv[0]);
        exit(2);
    }
    return fd;
}
