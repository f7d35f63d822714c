// What the parts of the far end share.
#ifndef FAR_END_H
#define FAR_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SECOND 1000000000LL
#define BATCH 64
/** Room for any frame that we write or read. */
#define FRAME_SPACE 128

static inline int64_t clock_of(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static inline int64_t now(void) { return clock_of(CLOCK_MONOTONIC); }

/** Until a time of {@link now}. */
void sleep_until(int64_t at);

/** Real-time priority, so that what else runs here does not make us late. @return whether we have it */
bool hurry(void);

/** The highest ordinary priority: whoever answers shall not have to wait until this core is free again. */
void hurry_modestly(void);

/** Addresses `first`, `first` + 1 ... of one family, on one interface. */
struct range {
  bool ipv6;
  /** Network order; 4 octets of IPv4. */
  uint8_t first[16];
  uint32_t count;
  int interface;
  uint8_t mac[6];
  /** Of the interface: for NDP made of the MAC address, RFC 4291 appendix A. */
  uint8_t link_local[16];
};

/** What a frame is about, seen by who asks. */
enum kind { OTHER, REQUEST, REPLY, GRATUITOUS_REQUEST, GRATUITOUS_REPLY };

/** Reads `INTERFACE PROTOCOL FIRST COUNT`; says what is wrong with them and ends the process. */
struct range read_range(char **arguments);

/** Octets of every frame that is written: ARP is padded, as on a wire. */
size_t frame_length(const struct range *range);

/** The solicited-node group of address `index`, 16 octets (RFC 4291 section 2.7.1). */
void write_group(const struct range *range, uint8_t *group, uint32_t index);

/** Who has address `index`? To everybody, or to the address's group. */
void write_request(const struct range *range, uint8_t *frame, uint32_t index);

/** Answers a request in the frame `request`, which {@link read_frame} has found to be one. */
void write_reply(const struct range *range, uint8_t *frame, const uint8_t *request);

/** To everybody: address `index` is here. @param reply of the two ARP frames the second; NDP has one only */
void write_gratuitous(const struct range *range, uint8_t *frame, uint32_t index, bool reply);

/** @param index which address it is about, if that is of the range */
enum kind read_frame(const struct range *range, const uint8_t *frame, size_t length, uint32_t *index);

/** A packet socket for one protocol on one interface, without what this namespace sends itself. @return -1 after saying why */
int open_frames(const struct range *range);

/** What the socket has lost for want of room, since it was asked last. */
unsigned lost_by(int socket);

/** Frames that came, with the kernel's times. */
struct received {
  int count;
  uint8_t frames[BATCH][FRAME_SPACE];
  size_t lengths[BATCH];
  /** CLOCK_REALTIME, nanoseconds. */
  int64_t times[BATCH];
};

/** @param flags of recvmmsg @return whether there was anything */
bool receive(int socket, struct received *received, int flags);

/** Sends `count` frames, all of the same length, that lie one after the other. @return how many */
int transmit(int socket, uint8_t (*frames)[FRAME_SPACE], size_t length, int count);

/** `latency RANGE GAP REQUESTS`: one request every GAP microseconds. */
int measure_latency(char **arguments);
/** `rate RANGE WINDOW SECONDS`: as many as are answered, WINDOW outstanding. */
int measure_rate(char **arguments);
/** `steady RANGE RATE SECONDS PERCENT OTHER`: so many a second, PERCENT of them for the range, the rest for addresses from OTHER on. */
int measure_steady(char **arguments);
/** `watch RANGE MILLISECONDS`: gratuitous frames, from the first one on. */
int watch(char **arguments);
/** `respond RANGE`: answers until it is killed. */
int respond(char **arguments);
/** `announce RANGE`: gratuitous frames for all, as fast as it goes. */
int announce(char **arguments);

#endif
