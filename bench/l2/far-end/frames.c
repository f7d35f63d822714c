// Frames of ARP (RFC 826) and Neighbor Discovery (RFC 4861), as octets at fixed places.
#define _GNU_SOURCE
#include "far-end.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Octets of a frame.
enum { SOURCE = 6, ETHER_TYPE = 12, ARP = 14, ARP_OPERATION = 20, SHA = 22, SPA = 28, THA = 32, TPA = 38, ARP_END = 60 };
enum { IPV6 = 14, PAYLOAD_LENGTH = 18, NEXT_HEADER = 20, HOP_LIMIT = 21, IPV6_SOURCE = 22, IPV6_DESTINATION = 38 };
enum { ICMPV6 = 54, CHECKSUM = 56, FLAGS = 58, TARGET = 62, OPTION = 78, LINK_LAYER_ADDRESS = 80, NDP_END = 86 };
enum { SOLICITATION = 135, ADVERTISEMENT = 136, SOURCE_LINK_LAYER_ADDRESS = 1, TARGET_LINK_LAYER_ADDRESS = 2 };
enum { SOLICITED = 0x40, OVERRIDE = 0x20 };

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t ask_from[4] = {10, 0, 0, 2};

static uint32_t read32(const uint8_t *octets) { return (uint32_t)octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]; }

static void write32(uint8_t *octets, uint32_t value) {
  for (int i = 0; i < 4; i++) octets[i] = (uint8_t)(value >> (24 - 8 * i));
}

struct range read_range(char **arguments) {
  struct range range = {.ipv6 = strcmp(arguments[1], "ndp") == 0, .count = (uint32_t)atoi(arguments[3])};
  struct ifreq request = {0};
  const int any = socket(AF_INET, SOCK_DGRAM, 0);
  strncpy(request.ifr_name, arguments[0], sizeof request.ifr_name - 1);
  range.interface = (int)if_nametoindex(arguments[0]);
  if (inet_pton(range.ipv6 ? AF_INET6 : AF_INET, arguments[2], range.first) != 1 || range.count == 0 ||
      ioctl(any, SIOCGIFHWADDR, &request) < 0) {
    fprintf(stderr, "bad interface, address or count: %s %s %s\n", arguments[0], arguments[2], arguments[3]);
    exit(2);
  }
  close(any);
  memcpy(range.mac, request.ifr_hwaddr.sa_data, 6);
  const uint8_t *mac = range.mac;
  const uint8_t link_local[16] = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
  memcpy(range.link_local, link_local, sizeof link_local);
  return range;
}

size_t frame_length(const struct range *range) { return range->ipv6 ? NDP_END : ARP_END; }

static void write_address(const struct range *range, uint8_t *octets, uint32_t index) {
  const size_t length = range->ipv6 ? 16 : 4;
  memcpy(octets, range->first, length);
  write32(octets + length - 4, read32(range->first + length - 4) + index);
}

/** @return whether it is of the range */
static bool read_address(const struct range *range, const uint8_t *octets, uint32_t *index) {
  const size_t length = range->ipv6 ? 16 : 4;
  *index = read32(octets + length - 4) - read32(range->first + length - 4);
  return *index < range->count && memcmp(octets, range->first, length - 4) == 0;
}

static void write_ethernet(uint8_t *frame, const uint8_t *destination, const uint8_t *source, uint16_t type) {
  memset(frame, 0, FRAME_SPACE);
  memcpy(frame, destination, 6);
  memcpy(frame + SOURCE, source, 6);
  frame[ETHER_TYPE] = (uint8_t)(type >> 8);
  frame[ETHER_TYPE + 1] = (uint8_t)type;
}

static void write_arp(uint8_t *frame, const uint8_t *destination, const uint8_t *mac, int operation) {
  static const uint8_t fixed[6] = {0, 1, 8, 0, 6, 4};
  write_ethernet(frame, destination, mac, 0x0806);
  memcpy(frame + ARP, fixed, sizeof fixed);
  frame[ARP_OPERATION + 1] = (uint8_t)operation;
  memcpy(frame + SHA, mac, 6);
}

/** Over pseudo-header and message: 0 when the checksum in it is right (RFC 1071). */
static uint16_t checksum(const uint8_t *frame) {
  const uint32_t length = (uint32_t)frame[PAYLOAD_LENGTH] << 8 | frame[PAYLOAD_LENGTH + 1];
  uint32_t sum = length + 58;
  for (uint32_t i = IPV6_SOURCE; i < ICMPV6 + length; i += 2) sum += (uint32_t)frame[i] << 8 | frame[i + 1];
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t)~sum;
}

static void write_ndp(const struct range *range, uint8_t *frame, const uint8_t *mac, const uint8_t *destination, int type) {
  write_ethernet(frame, mac, range->mac, 0x86dd);
  frame[IPV6] = 0x60;
  frame[PAYLOAD_LENGTH + 1] = NDP_END - ICMPV6;
  frame[NEXT_HEADER] = 58;
  frame[HOP_LIMIT] = 255;
  memcpy(frame + IPV6_SOURCE, range->link_local, 16);
  memcpy(frame + IPV6_DESTINATION, destination, 16);
  frame[ICMPV6] = (uint8_t)type;
  frame[OPTION] = type == SOLICITATION ? SOURCE_LINK_LAYER_ADDRESS : TARGET_LINK_LAYER_ADDRESS;
  frame[OPTION + 1] = 1;
  memcpy(frame + LINK_LAYER_ADDRESS, range->mac, 6);
}

static void finish(uint8_t *frame) {
  const uint16_t sum = checksum(frame);
  frame[CHECKSUM] = (uint8_t)(sum >> 8);
  frame[CHECKSUM + 1] = (uint8_t)sum;
}

void write_group(const struct range *range, uint8_t *group, uint32_t index) {
  static const uint8_t prefix[13] = {0xff, 2, [11] = 1, 0xff};
  write_address(range, group, index);
  memcpy(group, prefix, sizeof prefix);
}

void write_request(const struct range *range, uint8_t *frame, uint32_t index) {
  if (!range->ipv6) {
    write_arp(frame, broadcast, range->mac, 1);
    memcpy(frame + SPA, ask_from, 4);
    write_address(range, frame + TPA, index);
    return;
  }
  uint8_t group[16], mac[6] = {0x33, 0x33};
  write_group(range, group, index);
  memcpy(mac + 2, group + 12, 4);
  write_ndp(range, frame, mac, group, SOLICITATION);
  write_address(range, frame + TARGET, index);
  finish(frame);
}

void write_reply(const struct range *range, uint8_t *frame, const uint8_t *request) {
  if (!range->ipv6) {
    write_arp(frame, request + SHA, range->mac, 2);
    memcpy(frame + SPA, request + TPA, 4);
    memcpy(frame + THA, request + SHA, 10);
    return;
  }
  write_ndp(range, frame, request + LINK_LAYER_ADDRESS, request + IPV6_SOURCE, ADVERTISEMENT);
  frame[FLAGS] = SOLICITED;
  memcpy(frame + TARGET, request + TARGET, 16);
  finish(frame);
}

void write_gratuitous(const struct range *range, uint8_t *frame, uint32_t index, bool reply) {
  if (!range->ipv6) {
    write_arp(frame, broadcast, range->mac, reply ? 2 : 1);
    write_address(range, frame + SPA, index);
    memcpy(frame + THA, broadcast, 6);
    write_address(range, frame + TPA, index);
    return;
  }
  write_ndp(range, frame, all_nodes_mac, all_nodes, ADVERTISEMENT);
  frame[FLAGS] = OVERRIDE;
  write_address(range, frame + TARGET, index);
  finish(frame);
}

static enum kind read_arp(const struct range *range, const uint8_t *frame, uint32_t *index) {
  const bool request = frame[ARP_OPERATION + 1] == 1;
  if (!request && memcmp(frame, range->mac, 6) == 0) return read_address(range, frame + SPA, index) ? REPLY : OTHER;
  if (!read_address(range, frame + TPA, index)) return OTHER;
  if (memcmp(frame + SPA, frame + TPA, 4) == 0) return request ? GRATUITOUS_REQUEST : GRATUITOUS_REPLY;
  return request ? REQUEST : OTHER;
}

static enum kind read_ndp(const struct range *range, const uint8_t *frame, uint32_t *index) {
  const int type = frame[ICMPV6];
  if (frame[NEXT_HEADER] != 58 || frame[HOP_LIMIT] != 255 || (type != SOLICITATION && type != ADVERTISEMENT)) return OTHER;
  if (checksum(frame) != 0 || !read_address(range, frame + TARGET, index)) return OTHER;
  if (type == SOLICITATION) return frame[OPTION] == SOURCE_LINK_LAYER_ADDRESS ? REQUEST : OTHER;
  return frame[FLAGS] & SOLICITED ? REPLY : GRATUITOUS_REPLY;
}

enum kind read_frame(const struct range *range, const uint8_t *frame, size_t length, uint32_t *index) {
  if (!range->ipv6) return length >= 42 ? read_arp(range, frame, index) : OTHER;
  // Longer ones are no solicitation or advertisement of anybody here.
  return length == NDP_END && frame[PAYLOAD_LENGTH + 1] == NDP_END - ICMPV6 ? read_ndp(range, frame, index) : OTHER;
}
