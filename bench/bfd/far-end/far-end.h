// What the parts of the far end share.
#ifndef FAR_END_H
#define FAR_END_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CONTROL_PORT 3784
#define SOURCE_PORT 49152
#define PACKET_LENGTH 24
#define SECOND 1000000000LL

enum state { ADMIN_DOWN, DOWN, INIT, UP };
enum { POLL = 0x20, FINAL = 0x10 };

static inline int64_t clock_of(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

/** CLOCK_MONOTONIC, nanoseconds: the clock of `process.hrtime` in every process of this machine. */
static inline int64_t now(void) { return clock_of(CLOCK_MONOTONIC); }

/** Real-time priority, so that what else runs here does not make us late. @return whether we have it */
bool hurry(void);

/** A BFD Control packet without authentication, RFC 5880 section 4.1; intervals in microseconds. */
void write_packet(uint8_t *octets, enum state state, int flags, int multiplier, uint32_t mine, uint32_t yours,
                  uint32_t transmit_interval, uint32_t receive_interval);

/** `talk DAEMON FIRST COUNT INTERVAL MULTIPLIER`: sessions, until standard input ends. */
int talk(char **arguments);

/** `flood DAEMON SOURCE RATE SECONDS KIND...`: bad packets. */
int flood(int count, char **arguments);

#endif
