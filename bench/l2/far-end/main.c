// The far end of the layer-2 benchmark: asks, counts and takes times; and a responder and announcer in C to compare with.
#define _GNU_SOURCE
#include "far-end.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void hurry_modestly(void) {
  mlockall(MCL_CURRENT | MCL_FUTURE);
  prctl(PR_SET_TIMERSLACK, 1);
  setpriority(PRIO_PROCESS, 0, -20);
}

bool hurry(void) {
  struct sched_param parameters = {.sched_priority = 50};
  hurry_modestly();
  return sched_setscheduler(0, SCHED_FIFO, &parameters) == 0;
}

void sleep_until(int64_t at) {
  const struct timespec until = {at / SECOND, at % SECOND};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static const struct {
  const char *name;
  int arguments;
  int (*run)(char **arguments);
} commands[] = {
    {"latency", 6, measure_latency}, {"rate", 6, measure_rate}, {"steady", 8, measure_steady},
    {"watch", 5, watch},             {"respond", 4, respond},   {"announce", 4, announce},
};

int main(int count, char **arguments) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (count == commands[i].arguments + 2 && strcmp(arguments[1], commands[i].name) == 0) return commands[i].run(arguments + 2);
  fprintf(stderr, "usage: far-end latency INTERFACE arp|ndp FIRST COUNT GAP REQUESTS\n"
                  "       far-end rate INTERFACE arp|ndp FIRST COUNT WINDOW SECONDS\n"
                  "       far-end steady INTERFACE arp|ndp FIRST COUNT RATE SECONDS PERCENT OTHER\n"
                  "       far-end watch INTERFACE arp|ndp FIRST COUNT MILLISECONDS\n"
                  "       far-end respond INTERFACE arp|ndp FIRST COUNT\n"
                  "       far-end announce INTERFACE arp|ndp FIRST COUNT\n");
  return 2;
}
