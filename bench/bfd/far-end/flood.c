// Bad packets at a steady rate, of all kinds in turn.
#define _GNU_SOURCE
#include "far-end.h"
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** Packets that are made before it begins; they go round. */
#define POOL 4096
/** Time between two bursts. */
#define STEP (SECOND / 2000)
#define LARGEST_BURST 1024

struct packet {
  struct iphdr ip;
  struct udphdr udp;
  uint8_t control[PACKET_LENGTH];
} __attribute__((packed));

static uint32_t any(void) { return (uint32_t)random() << 1 | 1; }

/** @return false for a kind that there is not */
static bool make(struct packet *packet, const char *kind, uint32_t daemon, uint32_t source) {
  packet->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 255, .protocol = IPPROTO_UDP, .saddr = source, .daddr = daemon};
  packet->udp = (struct udphdr){.source = htons(49152 + random() % 16384),
                                .dest = htons(CONTROL_PORT),
                                .len = htons(sizeof packet->udp + PACKET_LENGTH)};
  write_packet(packet->control, UP, 0, 3, any(), any(), 50000, 50000);
  if (strcmp(kind, "ttl") == 0) {
    packet->ip.ttl = 254;
  } else if (strcmp(kind, "malformed") == 0) {
    static const uint8_t faults[][2] = {{0, 0x40}, {1, 0xc1}, {2, 0}, {3, 23}, {3, 200}};
    const uint8_t *fault = faults[random() % 5];
    packet->control[fault[0]] = fault[1];
  } else if (strcmp(kind, "discriminator") == 0) {
    // as it is: nobody's, from where the good packets come
  } else if (strcmp(kind, "source") == 0) {
    packet->ip.saddr = htonl(0xc6120000 | (random() & 0x1ffff)); // 198.18.0.0/15
    write_packet(packet->control, DOWN, 0, 3, any(), 0, 1000000, 50000);
  } else {
    return false;
  }
  return true;
}

int flood(int count, char **arguments) {
  static struct packet pool[POOL];
  static struct iovec vectors[POOL];
  static struct mmsghdr messages[POOL];
  const uint32_t daemon = inet_addr(arguments[0]);
  const uint32_t source = inet_addr(arguments[1]);
  const int64_t rate = atoll(arguments[2]);
  const int64_t length = atof(arguments[3]) * SECOND;
  struct sockaddr_in destination = {.sin_family = AF_INET, .sin_addr.s_addr = daemon};
  const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0) return perror("socket"), 1;
  for (int i = 0; i < POOL; i++) {
    const char *kind = arguments[4 + i % (count - 4)];
    if (!make(&pool[i], kind, daemon, source)) return fprintf(stderr, "no kind %s\n", kind), 2;
    vectors[i] = (struct iovec){&pool[i], sizeof pool[i]};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &destination, .msg_namelen = sizeof destination, .msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  const int64_t start = now();
  int64_t sent = 0, refused = 0;
  for (int64_t step = 1;; step++) {
    const int64_t at = start + step * STEP;
    const struct timespec until = {at / SECOND, at % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    const int64_t passed = now() - start;
    int64_t wanted = passed * rate / SECOND - sent - refused;
    if (wanted > LARGEST_BURST) wanted = LARGEST_BURST;
    while (wanted > 0) {
      const int first = (sent + refused) % POOL;
      const int some = wanted < POOL - first ? wanted : POOL - first;
      const int done = sendmmsg(raw, &messages[first], some, 0);
      if (done > 0) sent += done;
      else refused++;
      wanted -= done > 0 ? done : 1;
    }
    if (passed >= length) break;
  }
  printf("{\"sent\":%lld,\"refused\":%lld,\"seconds\":%.3f}\n", (long long)sent, (long long)refused,
         (double)(now() - start) / SECOND);
  return 0;
}
