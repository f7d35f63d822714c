// Packet sockets: batches of frames, and when they came.
#define _GNU_SOURCE
#include "far-end.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/** Of IPv6 only Neighbor Solicitations and Advertisements: a namespace talks of its groups, too. */
static int keep_discovery(int descriptor) {
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const struct sock_fprog program = {.len = sizeof instructions / sizeof *instructions, .filter = instructions};
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int open_frames(const struct range *range) {
  // Protocol 0 takes no frame until bind.
  const int descriptor = socket(AF_PACKET, SOCK_RAW, 0);
  const struct sockaddr_ll name = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(range->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_ARP),
                                   .sll_ifindex = range->interface};
  const int on = 1, space = 64 << 20;
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) < 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof space);
  if (descriptor < 0 || setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      (range->ipv6 && keep_discovery(descriptor) < 0) ||
      bind(descriptor, (const struct sockaddr *)&name, sizeof name) < 0)
    return perror("packet socket"), -1;
  return descriptor;
}

unsigned lost_by(int descriptor) {
  struct tpacket_stats stats = {0};
  socklen_t length = sizeof stats;
  getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &stats, &length);
  return stats.tp_drops;
}

static int64_t time_of(struct msghdr *message) {
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SO_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
    return stamp.tv_sec * SECOND + stamp.tv_nsec;
  }
  return 0;
}

bool receive(int descriptor, struct received *received, int flags) {
  union {
    char space[CMSG_SPACE(sizeof(struct timespec))];
    struct cmsghdr align;
  } controls[BATCH];
  struct iovec vectors[BATCH];
  struct mmsghdr messages[BATCH];
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){received->frames[i], FRAME_SPACE};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i],
                                          .msg_iovlen = 1,
                                          .msg_control = controls[i].space,
                                          .msg_controllen = sizeof controls[i].space};
  }
  const int count = recvmmsg(descriptor, messages, BATCH, flags, NULL);
  received->count = count > 0 ? count : 0;
  for (int i = 0; i < received->count; i++) {
    received->lengths[i] = messages[i].msg_len;
    received->times[i] = time_of(&messages[i].msg_hdr);
  }
  return count > 0;
}

int transmit(int descriptor, uint8_t (*frames)[FRAME_SPACE], size_t length, int count) {
  struct iovec vectors[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof *messages * (size_t)count);
  for (int i = 0; i < count; i++) {
    vectors[i] = (struct iovec){frames[i], length};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  int sent = 0;
  while (sent < count) {
    const int result = sendmmsg(descriptor, messages + sent, (unsigned)(count - sent), 0);
    if (result < 0 && errno == EINTR) continue;
    if (result <= 0) break;
    sent += result;
  }
  return sent;
}
