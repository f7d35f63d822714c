#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "addon.h"

#define RESULT_WORDS 4 /* payload length, name length, control length, flags */

/* Sends `count` messages, as few calls as it takes. Messages sent, or -errno when the first one failed. */
static int64_t send_messages(int descriptor, struct mmsghdr *messages, unsigned count) {
  unsigned sent = 0;
  while (sent < count) {
    int result = sendmmsg(descriptor, messages + sent, count - sent, MSG_NOSIGNAL);
    if (result < 0 && errno == EINTR) continue;
    if (result <= 0) return sent > 0 ? (int64_t)sent : -(int64_t)errno;
    sent += (unsigned)result;
  }
  return sent;
}

/* send(descriptor, payloads, name, control): at most 64 payloads, all to the same name with the same control octets. */
napi_value socket_send(napi_env env, napi_callback_info info) {
  napi_value arguments[4], element;
  struct addon *addon;
  struct octets name, control, payload;
  int descriptor;
  uint32_t count;
  if (!get_arguments(env, info, 4, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_optional_octets(env, arguments[2], &name) || !get_optional_octets(env, arguments[3], &control))
    return NULL;
  if (napi_get_array_length(env, arguments[1], &count) != napi_ok || count > MAX_BATCH) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected an array of at most 64 Uint8Arrays");
    return NULL;
  }
  struct mmsghdr messages[MAX_BATCH];
  struct iovec parts[MAX_BATCH];
  memset(messages, 0, count * sizeof *messages);
  for (uint32_t i = 0; i < count; i++) {
    if (napi_get_element(env, arguments[1], i, &element) != napi_ok || !get_octets(env, element, &payload)) return NULL;
    parts[i] = (struct iovec){.iov_base = payload.data, .iov_len = payload.length};
    messages[i].msg_hdr = (struct msghdr){.msg_name = name.data,
                                          .msg_namelen = (socklen_t)name.length,
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1,
                                          .msg_control = control.data,
                                          .msg_controllen = control.length};
  }
  return to_number(env, send_messages(descriptor, messages, count));
}

/*
 * receive(descriptor, arena, slotSize, nameSpace, controlSpace, results): messages received.
 * Message i goes to slot i of the arena: name, control octets, payload, in this order at fixed places. results takes
 * four words a message; its length says how many are wanted.
 */
napi_value socket_receive(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  struct addon *addon;
  struct octets arena;
  int descriptor, slot_size, name_space, control_space;
  uint32_t *results;
  size_t words;
  if (!get_arguments(env, info, 6, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_octets(env, arguments[1], &arena) || !get_int(env, arguments[2], &slot_size) ||
      !get_int(env, arguments[3], &name_space) || !get_int(env, arguments[4], &control_space) ||
      !get_words(env, arguments[5], &results, &words))
    return NULL;
  size_t slots = words / RESULT_WORDS;
  if (name_space < 0 || control_space < 0 || slot_size <= name_space || slot_size - name_space <= control_space ||
      slots == 0 || slots > MAX_BATCH || arena.length / (size_t)slot_size < slots) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "the arena does not hold the slots");
    return NULL;
  }
  size_t overhead = (size_t)name_space + (size_t)control_space;
  struct mmsghdr messages[MAX_BATCH];
  struct iovec parts[MAX_BATCH];
  memset(messages, 0, slots * sizeof *messages);
  for (size_t i = 0; i < slots; i++) {
    uint8_t *slot = arena.data + i * (size_t)slot_size;
    parts[i] = (struct iovec){.iov_base = slot + overhead, .iov_len = (size_t)slot_size - overhead};
    messages[i].msg_hdr = (struct msghdr){.msg_name = name_space ? slot : NULL,
                                          .msg_namelen = (socklen_t)name_space,
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1,
                                          .msg_control = control_space ? slot + name_space : NULL,
                                          .msg_controllen = (size_t)control_space};
  }
  int count = recvmmsg(descriptor, messages, (unsigned)slots, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    uint32_t *result = results + i * RESULT_WORDS;
    result[0] = messages[i].msg_len;
    result[1] = messages[i].msg_hdr.msg_namelen;
    result[2] = (uint32_t)messages[i].msg_hdr.msg_controllen;
    result[3] = (uint32_t)messages[i].msg_hdr.msg_flags;
  }
  return to_result(env, count);
}
