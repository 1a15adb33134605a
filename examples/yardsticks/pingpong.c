// Two threads that wake each other in turn: what the kernel's switch costs in C, to hold the lab's operations against.
//
//	pingpong futex|pipe|spawn|futex-alone|pipe-alone SECONDS [CPU]
//
// futex and pipe hand over by a futex word or by a byte in a pipe; half of a round is one operation, as in the lab. spawn
// makes a thread and joins it. The forms alone make the same system calls on one thread, with nobody to switch to. With CPU
// all threads stay on that one. It prints nanoseconds of CPU time per operation, which is what they took on a CPU of their
// own, and the nanoseconds that passed.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MINE, THEIRS, OVER };

static atomic_uint word;
static int there[2], back[2];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long futex(int op, unsigned value) { return syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0); }

static void give_futex(unsigned to) {
  atomic_store(&word, to);
  futex(FUTEX_WAKE, 1);
}

// take_futex waits until the word says me; it returns 0 at the end.
static int take_futex(unsigned me) {
  unsigned now;
  while ((now = atomic_load(&word)) != me) {
    if (now == OVER) return 0;
    futex(FUTEX_WAIT, now);
  }
  return 1;
}

static void *answer_futex(void *unused) {
  (void)unused;
  while (take_futex(THEIRS)) {
    unsigned expected = THEIRS;
    if (!atomic_compare_exchange_strong(&word, &expected, MINE)) return NULL;
    futex(FUTEX_WAKE, 1);
  }
  return NULL;
}

static void round_futex(void) {
  give_futex(THEIRS);
  take_futex(MINE);
}

static void *answer_pipe(void *unused) {
  (void)unused;
  char b;
  while (read(there[0], &b, 1) == 1)
    if (write(back[1], &b, 1) != 1) fail("write");
  return NULL;
}

static void round_pipe(void) {
  char b = 0;
  if (write(there[1], &b, 1) != 1 || read(back[0], &b, 1) != 1) fail("pipe");
}

// The forms alone do what two hand-overs need.
static void alone_futex(void) {
  for (int i = 0; i < 2; i++) {
    futex(FUTEX_WAKE, 1);
    futex(FUTEX_WAIT, THEIRS); // the word is another, so it returns at once
  }
}

static void alone_pipe(void) {
  char b = 0;
  for (int i = 0; i < 2; i++)
    if (write(there[1], &b, 1) != 1 || read(there[0], &b, 1) != 1) fail("pipe");
}

static void *nothing(void *unused) { return unused; }

static void spawn(void) {
  for (int i = 0; i < 2; i++) {
    pthread_t t;
    if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL)) fail("pthread_create");
  }
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// measure repeats two operations until the time is over, and looks at the clock after every hundred rounds.
static void measure(void (*two)(void), double seconds) {
  for (double end = now(CLOCK_MONOTONIC) + seconds / 10; now(CLOCK_MONOTONIC) < end;) two(); // warm up
  long rounds = 0;
  double start = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID), passed;
  do {
    for (int i = 0; i < 100; i++) two();
    rounds += 100;
    passed = now(CLOCK_MONOTONIC) - start;
  } while (passed < seconds);
  used = now(CLOCK_PROCESS_CPUTIME_ID) - used;
  printf("%.1f %.1f\n", used / (2.0 * rounds) * 1e9, passed / (2.0 * rounds) * 1e9);
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set)) fail("sched_setaffinity");
}

int main(int argc, char **argv) {
  struct {
    const char *name;
    void (*two)(void);
    void *(*answer)(void *);
  } forms[] = {{"futex", round_futex, answer_futex},
               {"pipe", round_pipe, answer_pipe},
               {"spawn", spawn, NULL},
               {"futex-alone", alone_futex, NULL},
               {"pipe-alone", alone_pipe, NULL}};
  if (argc > 3) pin(atoi(argv[3]));
  if (pipe(there) || pipe(back)) fail("pipe");
  for (size_t i = 0; argc > 2 && i < sizeof forms / sizeof *forms; i++) {
    if (strcmp(argv[1], forms[i].name)) continue;
    pthread_t other;
    if (forms[i].answer && pthread_create(&other, NULL, forms[i].answer, NULL)) fail("pthread_create");
    measure(forms[i].two, atof(argv[2]));
    return 0; // the other thread ends with the process
  }
  fprintf(stderr, "usage: pingpong futex|pipe|spawn|futex-alone|pipe-alone SECONDS [CPU]\n");
  return 2;
}
