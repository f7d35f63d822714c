// Sessions with a daemon: comes up, answers Polls, sends on time, can fall silent, and notes what the daemon does.
#define _GNU_SOURCE
#include "far-end.h"
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** Packets in force that make a session settled. */
#define SETTLED 5
/** Own gaps that are looked at when the daemon says Down: the last of them may be later than what it has missed. */
#define OWN_GAPS 8

struct session {
  uint32_t address, mine, yours;
  enum state state, remote_state;
  bool polling, cut;
  int good_packets;
  uint32_t remote_transmit, remote_receive;
  int64_t due, sent, received;
  int64_t own_gaps[OWN_GAPS];
  unsigned own_gap;
};

/** Since the last `reset`, of all sessions; nanoseconds. */
static struct {
  long downs, own_downs, silences, gaps;
  int64_t gap_max, gap_min, own_gap_max, late_max;
  double gap_sum, gap_squares;
} stats;

static struct session *sessions;
static int session_count, multiplier, receiver, sender;
static uint32_t first, daemon_address;
/** Microseconds. */
static uint32_t interval;

static int64_t detection_time(void) { return (int64_t)interval * 1000 * multiplier; }

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t transmit_interval(const struct session *session) { return session->state == UP ? interval : larger(1000000, interval); }

static void transmit(struct session *session, int flags) {
  uint8_t octets[PACKET_LENGTH];
  union {
    char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr align;
  } control = {0};
  struct sockaddr_in destination = {
      .sin_family = AF_INET, .sin_port = htons(CONTROL_PORT), .sin_addr.s_addr = daemon_address};
  struct iovec vector = {octets, sizeof octets};
  struct msghdr message = {.msg_name = &destination,
                           .msg_namelen = sizeof destination,
                           .msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.space,
                           .msg_controllen = sizeof control.space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  struct in_pktinfo info = {.ipi_spec_dst.s_addr = session->address};
  memcpy(CMSG_DATA(header), &info, sizeof info);
  if (session->polling && !(flags & FINAL)) flags |= POLL;
  write_packet(octets, session->state, flags, multiplier, session->mine, session->yours, transmit_interval(session), interval);
  const int64_t before = now();
  if (sendmsg(sender, &message, 0) < 0) perror("sendmsg");
  if (session->good_packets >= SETTLED) {
    const int64_t gap = before - session->sent;
    session->own_gaps[session->own_gap++ % OWN_GAPS] = gap;
    if (gap > stats.own_gap_max) stats.own_gap_max = gap;
  }
  session->sent = before;
}

/** Nanoseconds between packets, before jitter. */
static int64_t wait_of(const struct session *session) {
  return 1000LL * larger(transmit_interval(session), session->remote_receive);
}

/** RFC 5880 section 6.8.7: 75 to 100 % of the interval after the packet before was due. */
static void schedule(struct session *session, int64_t from) {
  const int64_t wait = wait_of(session);
  session->due = from + wait * 3 / 4 + wait / 4 * random() / RAND_MAX;
}

/** The daemon has held us for dead while we were to be heard. */
static void note_down(struct session *session, int index, int diagnostic, int64_t at) {
  int64_t gap = at - session->sent;
  for (int i = 0; i < OWN_GAPS; i++)
    if (session->own_gaps[i] > gap) gap = session->own_gaps[i];
  const bool own = gap >= detection_time();
  stats.downs++;
  if (own) stats.own_downs++;
  printf("{\"down\":%d,\"diagnostic\":%d,\"ownGap\":%.3f,\"own\":%s}\n", index, diagnostic, gap / 1e6, own ? "true" : "false");
  fflush(stdout);
}

/** The daemon says that it has noticed a cut: from here on we are there again. */
static void end_cut(struct session *session, int index, int diagnostic, int64_t at) {
  printf("{\"cut\":%d,\"sent\":%lld,\"down\":%lld,\"diagnostic\":%d}\n", index, (long long)session->sent, (long long)at,
         diagnostic);
  fflush(stdout);
  session->cut = false;
}

static void enter(struct session *session, enum state state) {
  session->state = state;
  session->polling = state == UP;
  session->good_packets = 0;
  memset(session->own_gaps, 0, sizeof session->own_gaps);
}

static enum state next_state(enum state state, enum state remote) {
  if (remote == ADMIN_DOWN) return DOWN;
  if (state == DOWN) return remote == DOWN ? INIT : remote == INIT ? UP : DOWN;
  if (remote == DOWN) return state == INIT ? INIT : DOWN;
  return UP;
}

static void note_gap(struct session *session, int64_t at) {
  const int64_t gap = at - session->received;
  const int64_t silence = 1000LL * multiplier * larger(interval, session->remote_transmit);
  if (gap > silence) stats.silences++;
  if (gap > stats.gap_max) stats.gap_max = gap;
  if (stats.gaps == 0 || gap < stats.gap_min) stats.gap_min = gap;
  stats.gaps++;
  stats.gap_sum += gap;
  stats.gap_squares += (double)gap * gap;
}

static uint32_t read32(const uint8_t *octets) {
  uint32_t value;
  memcpy(&value, octets, sizeof value);
  return ntohl(value);
}

static void receive(struct session *session, int index, const uint8_t *octets, int64_t at) {
  const enum state remote = octets[1] >> 6;
  const int flags = octets[1];
  if (session->cut) {
    if (remote != DOWN) return;
    end_cut(session, index, octets[0] & 31, at);
    enter(session, DOWN);
  }
  const int64_t wait_before = wait_of(session);
  session->yours = read32(octets + 4);
  session->remote_transmit = read32(octets + 12);
  session->remote_receive = read32(octets + 16);
  const enum state before = session->state;
  const enum state after = next_state(before, remote);
  if (before == UP && after == DOWN && session->good_packets >= SETTLED) note_down(session, index, octets[0] & 31, at);
  if (after != before) enter(session, after);
  if (flags & FINAL) session->polling = false;
  const bool in_force = session->state == UP && remote == UP && !session->polling && !(flags & POLL) &&
                        session->remote_transmit <= interval && session->remote_receive <= interval;
  if (session->good_packets >= SETTLED) note_gap(session, at);
  if (in_force) session->good_packets++;
  session->received = at;
  session->remote_state = remote;
  if (flags & POLL) transmit(session, FINAL);
  if (after != before) {
    transmit(session, 0);
    schedule(session, session->sent);
  } else if (wait_of(session) < wait_before) {
    schedule(session, session->sent);
    if (session->due < now()) session->due = now();
  }
}

/** What waits at the socket, with the time at which the kernel has received it. */
static void receive_all(void) {
  for (;;) {
    uint8_t octets[256];
    union {
      char space[256];
      struct cmsghdr align;
    } control;
    struct iovec vector = {octets, sizeof octets};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    const ssize_t length = recvmsg(receiver, &message, MSG_DONTWAIT);
    if (length < 0) return;
    const int64_t ahead = clock_of(CLOCK_REALTIME) - now();
    int64_t at = now();
    uint32_t destination = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_TIMESTAMPNS) {
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
        at = stamp.tv_sec * SECOND + stamp.tv_nsec - ahead;
      } else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(header), sizeof info);
        destination = ntohl(info.ipi_addr.s_addr);
      }
    }
    const uint32_t index = destination - first;
    if (length >= PACKET_LENGTH && index < (uint32_t)session_count) receive(&sessions[index], index, octets, at);
  }
}

static void tell(void) {
  int settled = 0;
  for (int i = 0; i < session_count; i++) settled += sessions[i].good_packets >= SETTLED;
  const double mean = stats.gaps > 0 ? stats.gap_sum / stats.gaps : 0;
  const double variance = stats.gaps > 0 ? stats.gap_squares / stats.gaps - mean * mean : 0;
  printf("{\"stats\":{\"settled\":%d,\"downs\":%ld,\"ownDowns\":%ld,\"silences\":%ld,\"packets\":%ld,\"gapMax\":%.3f,"
         "\"gapMin\":%.3f,\"gapMean\":%.3f,\"gapDeviation\":%.3f,\"ownGapMax\":%.3f,\"ownLate\":%.3f}}\n",
         settled, stats.downs, stats.own_downs, stats.silences, stats.gaps, stats.gap_max / 1e6, stats.gap_min / 1e6,
         mean / 1e6, sqrt(variance > 0 ? variance : 0) / 1e6, stats.own_gap_max / 1e6, stats.late_max / 1e6);
  fflush(stdout);
}

static void obey(const char *line) {
  int index;
  if (sscanf(line, "cut %d", &index) == 1 && index >= 0 && index < session_count) sessions[index].cut = true;
  else if (strncmp(line, "stats", 5) == 0) tell();
  else if (strncmp(line, "reset", 5) == 0) memset(&stats, 0, sizeof stats);
}

/** @return false at the end of standard input */
static bool read_commands(void) {
  static char line[256];
  static size_t length;
  char octets[256];
  const ssize_t count = read(STDIN_FILENO, octets, sizeof octets);
  if (count <= 0) return false;
  for (ssize_t i = 0; i < count; i++) {
    if (octets[i] != '\n' && length < sizeof line - 1) {
      line[length++] = octets[i];
      continue;
    }
    line[length] = '\0';
    length = 0;
    obey(line);
  }
  return true;
}

static int64_t transmit_due(void) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < session_count; i++) {
    struct session *session = &sessions[i];
    if (session->cut) continue;
    const int64_t late = now() - session->due;
    if (late >= 0) {
      if (session->state == UP && late > stats.late_max) stats.late_max = late;
      transmit(session, 0);
      schedule(session, late < 1000LL * interval / 4 ? session->due : session->sent);
    }
    if (session->due < next) next = session->due;
  }
  return next;
}

static int open_socket(int port) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  const struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  const int on = 1, ttl = 255, space = 4 << 20;
  setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
  setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  setsockopt(descriptor, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
  if (bind(descriptor, (const struct sockaddr *)&name, sizeof name) < 0) return perror("bind"), -1;
  return descriptor;
}

int talk(char **arguments) {
  daemon_address = inet_addr(arguments[0]);
  first = ntohl(inet_addr(arguments[1]));
  session_count = atoi(arguments[2]);
  interval = atoi(arguments[3]);
  multiplier = atoi(arguments[4]);
  sessions = calloc(session_count, sizeof *sessions);
  receiver = open_socket(CONTROL_PORT);
  sender = open_socket(SOURCE_PORT);
  if (sessions == NULL || receiver < 0 || sender < 0) return 1;
  const int64_t start = now();
  for (int i = 0; i < session_count; i++) {
    const int64_t due = start + SECOND / session_count * i;
    sessions[i] = (struct session){.address = htonl(first + i), .mine = 1000 + i, .state = DOWN, .due = due};
  }
  printf("{\"ready\":true,\"realtime\":%s}\n", hurry() ? "true" : "false");
  fflush(stdout);
  struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = receiver, .events = POLLIN}};
  for (;;) {
    const int64_t next = transmit_due();
    const int64_t left = next == INT64_MAX ? SECOND : next - now();
    const int64_t wait = left > 0 ? left : 0;
    const struct timespec timeout = {wait / SECOND, wait % SECOND};
    if (ppoll(watched, 2, &timeout, NULL) < 0 && errno != EINTR) return perror("ppoll"), 1;
    receive_all();
    if (watched[0].revents != 0 && !read_commands()) return 0;
  }
}
