// Who asks: one request at a time, a window of them, or so many a second.
#define _GNU_SOURCE
#include "far-end.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** Time between two bursts of a steady rate, and the most that is made up for in one. */
#define STEP (SECOND / 10000)
#define LARGEST_BURST 2048
/** An answer that takes longer is lost. */
#define PATIENCE (2 * SECOND)

static uint8_t frames[BATCH][FRAME_SPACE];
static struct received received;

/** For times of the kernel; without it reading is cheaper. */
static void take_times(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

/** Reads what waits and counts the answers in it. */
static long count_answers(int descriptor, const struct range *range) {
  long answers = 0;
  while (receive(descriptor, &received, MSG_DONTWAIT)) {
    for (int i = 0; i < received.count; i++) {
      uint32_t index;
      answers += read_frame(range, received.frames[i], received.lengths[i], &index) == REPLY;
    }
    if (received.count < BATCH) break;
  }
  return answers;
}

static int by_value(const void *a, const void *b) {
  const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

/** Requests of a latency measurement. */
struct series {
  const struct range *range;
  long count, answered;
  int64_t *sent, *took;
  /** By address: how many of its requests were answered. */
  long *answers;
};

/** An answer belongs to its address's oldest request without one. */
static void note_answers(int descriptor, struct series *series) {
  const uint32_t addresses = series->range->count;
  while (receive(descriptor, &received, MSG_DONTWAIT)) {
    for (int i = 0; i < received.count; i++) {
      uint32_t index;
      if (read_frame(series->range, received.frames[i], received.lengths[i], &index) != REPLY) continue;
      const long request = index + addresses * series->answers[index]++;
      if (request < series->count) series->took[series->answered++] = received.times[i] - series->sent[request];
    }
  }
}

int measure_latency(char **arguments) {
  const struct range range = read_range(arguments);
  const int64_t gap = atoll(arguments[4]) * 1000;
  const long count = atol(arguments[5]);
  const int descriptor = open_frames(&range);
  struct series series = {.range = &range,
                          .count = count,
                          .sent = calloc((size_t)count, sizeof(int64_t)),
                          .took = calloc((size_t)count, sizeof(int64_t)),
                          .answers = calloc(range.count, sizeof(long))};
  if (descriptor < 0 || series.sent == NULL || series.took == NULL || series.answers == NULL) return 1;
  take_times(descriptor);
  hurry_modestly();
  const int64_t start = now() + gap;
  for (long i = 0; i < count; i++) {
    write_request(&range, frames[0], (uint32_t)(i % range.count));
    sleep_until(start + i * gap);
    series.sent[i] = clock_of(CLOCK_REALTIME);
    if (transmit(descriptor, frames, frame_length(&range), 1) != 1) perror("send");
    note_answers(descriptor, &series);
  }
  for (const int64_t end = now() + PATIENCE; series.answered < count && now() < end;) {
    sleep_until(now() + SECOND / 100);
    note_answers(descriptor, &series);
  }
  qsort(series.took, (size_t)series.answered, sizeof *series.took, by_value);
  const int64_t *took = series.took;
  const long answered = series.answered;
  const double last = answered > 0 ? 1 : 0;
  printf("{\"sent\":%ld,\"answered\":%ld,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}\n", count, answered,
         last * took[answered / 2] / 1e3, last * took[answered * 99 / 100] / 1e3,
         answered > 0 ? took[answered - 1] / 1e3 : 0);
  return 0;
}

/** Who is asked in turn. */
struct asked {
  const struct range *range, *others;
  uint32_t next, next_other;
  long turn;
  int percent;
};

/** @return how many of them are for the range */
static int write_requests(struct asked *asked, int count) {
  int ours = 0;
  for (int i = 0; i < count; i++) {
    // Evenly: every time that the share reaches another whole number.
    const long turn = asked->turn++;
    if ((turn + 1) * asked->percent / 100 > turn * asked->percent / 100) {
      write_request(asked->range, frames[i], asked->next++ % asked->range->count);
      ours++;
    } else {
      write_request(asked->others, frames[i], asked->next_other++ % asked->others->count);
    }
  }
  return ours;
}

int measure_rate(char **arguments) {
  const struct range range = read_range(arguments);
  const long window = atol(arguments[4]);
  const int64_t length = (int64_t)(atof(arguments[5]) * SECOND);
  const int descriptor = open_frames(&range);
  if (descriptor < 0) return 1;
  struct asked asked = {.range = &range, .percent = 100};
  struct pollfd watched = {.fd = descriptor, .events = POLLIN};
  long outstanding = 0, answered = 0, lost = 0;
  const int64_t start = now();
  while (now() - start < length) {
    while (outstanding < window) {
      const int some = window - outstanding < BATCH ? (int)(window - outstanding) : BATCH;
      write_requests(&asked, some);
      const int sent = transmit(descriptor, frames, frame_length(&range), some);
      outstanding += sent;
      if (sent < some) break;
    }
    if (poll(&watched, 1, 200) == 0) {
      lost += outstanding;
      outstanding = 0;
    }
    const long answers = count_answers(descriptor, &range);
    answered += answers;
    outstanding -= answers < outstanding ? answers : outstanding;
  }
  const double seconds = (double)(now() - start) / SECOND;
  printf("{\"answered\":%ld,\"lost\":%ld,\"seconds\":%.3f,\"perSecond\":%.0f}\n", answered, lost, seconds, answered / seconds);
  return 0;
}

int measure_steady(char **arguments) {
  const struct range range = read_range(arguments);
  const int64_t rate = atoll(arguments[4]);
  const int64_t length = (int64_t)(atof(arguments[5]) * SECOND);
  char *other_arguments[] = {arguments[0], arguments[1], arguments[7], "50000"};
  const struct range others = read_range(other_arguments);
  const int descriptor = open_frames(&range);
  if (descriptor < 0) return 1;
  struct asked asked = {.range = &range, .others = &others, .percent = atoi(arguments[6])};
  const bool realtime = hurry();
  long sent = 0, ours = 0, refused = 0, answered = 0;
  int64_t latest = 0;
  const int64_t start = now();
  for (int64_t step = 1;; step++) {
    sleep_until(start + step * STEP);
    const int64_t passed = now() - start;
    if (passed - step * STEP > latest) latest = passed - step * STEP;
    int64_t wanted = (passed < length ? passed : length) * rate / SECOND - sent - refused;
    if (wanted > LARGEST_BURST) wanted = LARGEST_BURST;
    while (wanted > 0) {
      const int some = wanted < BATCH ? (int)wanted : BATCH;
      const int for_range = write_requests(&asked, some);
      const int done = transmit(descriptor, frames, frame_length(&range), some);
      sent += done;
      refused += some - done;
      // What was refused is not told apart: with less than everything for the range it must not happen.
      ours += done == some ? for_range : done * asked.percent / 100;
      wanted -= some;
    }
    answered += count_answers(descriptor, &range);
    if (passed >= length) break;
  }
  const double seconds = (double)(now() - start) / SECOND;
  const double cpu = (double)clock_of(CLOCK_PROCESS_CPUTIME_ID) / SECOND;
  printf("{\"over\":true}\n");
  fflush(stdout);
  for (const int64_t end = now() + PATIENCE; answered < ours && now() < end;) {
    sleep_until(now() + SECOND / 100);
    answered += count_answers(descriptor, &range);
  }
  printf("{\"sent\":%ld,\"asked\":%ld,\"refused\":%ld,\"answered\":%ld,\"unread\":%u,\"seconds\":%.3f,\"cpu\":%.3f,"
         "\"latest\":%.3f,\"realtime\":%s}\n",
         sent, ours, refused, answered, lost_by(descriptor), seconds, cpu, latest / 1e6, realtime ? "true" : "false");
  return 0;
}

int watch(char **arguments) {
  const struct range range = read_range(arguments);
  const int64_t patience = atoll(arguments[4]) * (SECOND / 1000);
  const long wanted = (range.ipv6 ? 1L : 2L) * range.count;
  const int descriptor = open_frames(&range);
  uint8_t *seen = calloc(range.count, 1);
  if (descriptor < 0 || seen == NULL) return 1;
  take_times(descriptor);
  hurry();
  printf("{\"ready\":true}\n");
  fflush(stdout);
  struct pollfd watched = {.fd = descriptor, .events = POLLIN};
  long frames_seen = 0, again = 0;
  int64_t first = 0, last = 0, deadline = now() + 10 * SECOND;
  while (frames_seen < wanted && now() < deadline) {
    if (poll(&watched, 1, 10) <= 0) continue;
    receive(descriptor, &received, MSG_DONTWAIT);
    for (int i = 0; i < received.count; i++) {
      uint32_t index;
      const enum kind kind = read_frame(&range, received.frames[i], received.lengths[i], &index);
      if (kind != GRATUITOUS_REQUEST && kind != GRATUITOUS_REPLY) continue;
      if (first == 0) {
        first = received.times[i];
        deadline = now() + patience;
      }
      const uint8_t bit = kind == GRATUITOUS_REQUEST ? 1 : 2;
      if (seen[index] & bit) {
        again++;
        continue;
      }
      seen[index] |= bit;
      frames_seen++;
      last = received.times[i];
    }
  }
  printf("{\"frames\":%ld,\"missing\":%ld,\"again\":%ld,\"first\":%lld,\"last\":%lld,\"unread\":%u}\n", frames_seen,
         wanted - frames_seen, again, (long long)first, (long long)last, lost_by(descriptor));
  return 0;
}
