// A responder and an announcer as one would write them in C: what is the least that a program outside the kernel takes.
#define _GNU_SOURCE
#include "far-end.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t frames[BATCH][FRAME_SPACE];
static struct received received;

/** Addresses by hash, as a program has them that does not know that they follow on each other. */
struct table {
  uint32_t mask;
  /** Index of the address + 1; 0 for an empty place. */
  uint32_t *places;
};

static uint32_t place_of(const struct table *table, uint32_t index) { return index * 2654435761U & table->mask; }

static struct table fill(uint32_t count) {
  struct table table = {.mask = 1};
  while (table.mask < 2 * count) table.mask *= 2;
  table.places = calloc(table.mask--, sizeof *table.places);
  for (uint32_t i = 0; table.places != NULL && i < count; i++) {
    uint32_t place = place_of(&table, i);
    while (table.places[place] != 0) place = (place + 1) & table.mask;
    table.places[place] = i + 1;
  }
  return table;
}

static bool owns(const struct table *table, uint32_t index) {
  for (uint32_t place = place_of(table, index); table->places[place] != 0; place = (place + 1) & table->mask)
    if (table->places[place] == index + 1) return true;
  return false;
}

/** Each address's solicited-node group: without, an interface or switch keeps solicitations away. They stay until the process ends. */
static bool join_groups(const struct range *range) {
  int member = -1;
  for (uint32_t i = 0; i < range->count; i++) {
    struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)range->interface};
    write_group(range, request.ipv6mr_multiaddr.s6_addr, i);
    // The kernel has room for some hundreds on one socket.
    if (member >= 0 && setsockopt(member, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0) continue;
    member = socket(AF_INET6, SOCK_DGRAM, 0);
    if (setsockopt(member, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) < 0) return perror("IPV6_JOIN_GROUP"), false;
  }
  return true;
}

int respond(char **arguments) {
  const struct range range = read_range(arguments);
  const int descriptor = open_frames(&range);
  const struct table table = fill(range.count);
  if (descriptor < 0 || table.places == NULL || (range.ipv6 && !join_groups(&range))) return 1;
  printf("{\"ready\":true}\n");
  fflush(stdout);
  for (;;) {
    // Blocks for the first and takes what is there with it.
    if (!receive(descriptor, &received, MSG_WAITFORONE)) return perror("recvmmsg"), 1;
    int count = 0;
    for (int i = 0; i < received.count; i++) {
      uint32_t index;
      if (read_frame(&range, received.frames[i], received.lengths[i], &index) != REQUEST || !owns(&table, index)) continue;
      write_reply(&range, frames[count++], received.frames[i]);
    }
    if (transmit(descriptor, frames, frame_length(&range), count) != count) perror("sendmmsg");
  }
}

int announce(char **arguments) {
  const struct range range = read_range(arguments);
  const int descriptor = open_frames(&range);
  if (descriptor < 0) return 1;
  const uint32_t each = range.ipv6 ? 1 : 2;
  const int64_t start = now();
  for (uint32_t sent = 0; sent < each * range.count;) {
    int count = 0;
    for (; count < BATCH && sent + count < each * range.count; count++) {
      const uint32_t which = sent + (uint32_t)count;
      write_gratuitous(&range, frames[count], which / each, which % each == 1);
    }
    const int done = transmit(descriptor, frames, frame_length(&range), count);
    struct pollfd watched = {.fd = descriptor, .events = POLLOUT};
    if (done < count) poll(&watched, 1, 10);
    sent += (uint32_t)done;
  }
  printf("{\"milliseconds\":%.3f}\n", (now() - start) / 1e6);
  return 0;
}
