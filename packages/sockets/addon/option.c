#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "addon.h"

/* setOption(descriptor, level, name, value) */
napi_value socket_set_option(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct addon *addon;
  struct octets value;
  int descriptor, level, name;
  if (!get_arguments(env, info, 4, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_int(env, arguments[1], &level) || !get_int(env, arguments[2], &name) ||
      !get_octets(env, arguments[3], &value))
    return NULL;
  return to_result(env, setsockopt(descriptor, level, name, value.data, (socklen_t)value.length));
}

/* getOption(descriptor, level, name, into): octets written. */
napi_value socket_get_option(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct addon *addon;
  struct octets into;
  int descriptor, level, name;
  if (!get_arguments(env, info, 4, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_int(env, arguments[1], &level) || !get_int(env, arguments[2], &name) || !get_octets(env, arguments[3], &into))
    return NULL;
  socklen_t length = (socklen_t)into.length;
  int result = getsockopt(descriptor, level, name, into.data, &length);
  return to_result(env, result < 0 ? result : (int64_t)length);
}

/* attachFilter(descriptor, instructions): an array of struct sock_filter; replaces the filter before it, atomically. */
napi_value socket_attach_filter(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  struct octets instructions;
  int descriptor;
  if (!get_arguments(env, info, 2, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_octets(env, arguments[1], &instructions))
    return NULL;
  size_t count = instructions.length / sizeof(struct sock_filter);
  if (count == 0 || count > BPF_MAXINSNS) return to_number(env, -EINVAL);
  struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)(void *)instructions.data};
  return to_result(env, setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}
