#include <sys/socket.h>

#include "addon.h"

typedef int address_call(int descriptor, const struct sockaddr *address, socklen_t length);

static napi_value call_with_address(napi_env env, napi_callback_info info, address_call *call) {
  napi_value arguments[2];
  struct addon *addon;
  struct octets address;
  int descriptor;
  if (!get_arguments(env, info, 2, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_octets(env, arguments[1], &address))
    return NULL;
  return to_result(env, call(descriptor, (const struct sockaddr *)address.data, (socklen_t)address.length));
}

/* bind(descriptor, sockaddr) */
napi_value socket_bind(napi_env env, napi_callback_info info) { return call_with_address(env, info, bind); }

/* connect(descriptor, sockaddr): -EINPROGRESS is the usual answer; watch for writability, then ask SO_ERROR. */
napi_value socket_connect(napi_env env, napi_callback_info info) { return call_with_address(env, info, connect); }

/* listen(descriptor, backlog) */
napi_value socket_listen(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  int descriptor, backlog;
  if (!get_arguments(env, info, 2, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_int(env, arguments[1], &backlog))
    return NULL;
  return to_result(env, listen(descriptor, backlog));
}

/* name(descriptor, into): octets of the bound address written to `into` (getsockname). */
napi_value socket_name(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  struct octets into;
  int descriptor;
  if (!get_arguments(env, info, 2, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_octets(env, arguments[1], &into))
    return NULL;
  socklen_t length = (socklen_t)into.length;
  int result = getsockname(descriptor, (struct sockaddr *)into.data, &length);
  return to_result(env, result < 0 ? result : (int64_t)length);
}
