// A yardstick: one POSIX thread per connection, blocking sockets. The kernel does all the scheduling.
//
//	cc -O2 -pthread -o pthreads pthreads.c && ./pthreads PORT echo|http
#define _GNU_SOURCE
#include "yardstick.h"

#include <pthread.h>
#include <stdint.h>

static int http;

static void *serve(void *arg) {
    int fd = (int)(intptr_t)arg;
    static _Thread_local struct small_buffers b;
    for (ssize_t got; (got = read(fd, b.in, sizeof b.in)) > 0;)
        if (!answer(fd, &b, (size_t)got, http)) break;
    close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = listen_on(argc, argv, 0, &http);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 64 << 10);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        no_delay(fd);
        if (pthread_create(&thread, &attr, serve, (void *)(intptr_t)fd)) close(fd);
    }
}
