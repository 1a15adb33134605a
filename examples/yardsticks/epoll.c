// A yardstick: one thread, one edge-triggered epoll set, no abstraction. The least a server can cost.
//
//	cc -O2 -o epoll epoll.c && ./epoll PORT echo|http
//
// It is not a web server: "http" sends the same reply for every blank line it sees, and assumes that a request's blank
// line is not split between two reads. That is enough for a load generator that sends whole requests.
#define _GNU_SOURCE
#include "yardstick.h"

#include <errno.h>
#include <sys/epoll.h>

enum { MAX_EVENTS = 512 };

static struct buffers buffers;

// Reads until the socket is drained. A read shorter than the buffer has drained it, so no second read asks for EAGAIN.
static void serve(int fd, int http) {
    for (;;) {
        ssize_t got = read(fd, buffers.in, sizeof buffers.in);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0 || !answer(fd, &buffers, (size_t)got, http)) {
            close(fd);
            return;
        }
        if ((size_t)got < sizeof buffers.in) return;
    }
}

static void accept_all(int listener, int epoll) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        no_delay(fd);
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv) {
    int http, listener = listen_on(argc, argv, SOCK_NONBLOCK, &http);
    int epoll = epoll_create1(0);
    struct epoll_event events[MAX_EVENTS], e = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else
                serve(events[i].data.fd, http);
        }
    }
}
