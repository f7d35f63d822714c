// The far end of the BFD benchmark: as little of RFC 5880 as a session takes, in a process of its own that knows when it sends and
// when the kernel receives. It is none of the programs under test.
#define _GNU_SOURCE
#include "far-end.h"
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool hurry(void) {
  struct sched_param parameters = {.sched_priority = 50};
  mlockall(MCL_CURRENT | MCL_FUTURE);
  prctl(PR_SET_TIMERSLACK, 1);
  if (sched_setscheduler(0, SCHED_FIFO, &parameters) == 0) return true;
  setpriority(PRIO_PROCESS, 0, -20);
  return false;
}

static void write32(uint8_t *octets, uint32_t value) {
  value = htonl(value);
  memcpy(octets, &value, sizeof value);
}

void write_packet(uint8_t *octets, enum state state, int flags, int multiplier, uint32_t mine, uint32_t yours,
                  uint32_t transmit_interval, uint32_t receive_interval) {
  octets[0] = 1 << 5;
  octets[1] = state << 6 | flags;
  octets[2] = multiplier;
  octets[3] = PACKET_LENGTH;
  write32(octets + 4, mine);
  write32(octets + 8, yours);
  write32(octets + 12, transmit_interval);
  write32(octets + 16, receive_interval);
  write32(octets + 20, 0);
}

int main(int count, char **arguments) {
  if (count == 7 && strcmp(arguments[1], "talk") == 0) return talk(arguments + 2);
  if (count > 6 && strcmp(arguments[1], "flood") == 0) return flood(count - 2, arguments + 2);
  fprintf(stderr, "usage: far-end talk DAEMON FIRST COUNT INTERVAL MULTIPLIER\n"
                  "       far-end flood DAEMON SOURCE RATE SECONDS KIND...\n");
  return 2;
}
