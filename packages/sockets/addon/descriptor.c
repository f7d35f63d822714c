#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addon.h"

/* Open descriptors are remembered, so that a worker that is terminated in any line of JavaScript leaves none behind. */
bool remember(struct addon *addon, int descriptor) {
  if (addon->descriptor_count == addon->descriptor_space) {
    size_t space = addon->descriptor_space ? addon->descriptor_space * 2 : 16;
    int *grown = realloc(addon->descriptors, space * sizeof *grown);
    if (!grown) return false;
    addon->descriptors = grown;
    addon->descriptor_space = space;
  }
  addon->descriptors[addon->descriptor_count++] = descriptor;
  return true;
}

/* False when it is not ours: closed before, or handed over. The number may belong to somebody else by now. */
static bool forget(struct addon *addon, int descriptor) {
  for (size_t i = 0; i < addon->descriptor_count; i++) {
    if (addon->descriptors[i] != descriptor) continue;
    addon->descriptors[i] = addon->descriptors[--addon->descriptor_count];
    return true;
  }
  return false;
}

/* open(domain, type, protocol): descriptor; non-blocking and close-on-exec. */
napi_value socket_open(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct addon *addon;
  int domain, type, protocol;
  if (!get_arguments(env, info, 3, arguments, &addon) || !get_int(env, arguments[0], &domain) ||
      !get_int(env, arguments[1], &type) || !get_int(env, arguments[2], &protocol))
    return NULL;
  int descriptor = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (descriptor >= 0 && !remember(addon, descriptor)) {
    close(descriptor);
    return to_number(env, -ENOMEM);
  }
  return to_result(env, descriptor);
}

/* close(descriptor): stops watching it, too. */
napi_value socket_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int descriptor;
  if (!get_arguments(env, info, 1, arguments, &addon) || !get_int(env, arguments[0], &descriptor)) return NULL;
  if (!forget(addon, descriptor)) return to_number(env, -EBADF);
  stop_watching(addon, descriptor);
  return to_result(env, close(descriptor));
}

/* release(descriptor): hands it over to the caller, who must close it. */
napi_value socket_release(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int descriptor;
  if (!get_arguments(env, info, 1, arguments, &addon) || !get_int(env, arguments[0], &descriptor)) return NULL;
  if (!forget(addon, descriptor)) return to_number(env, -EBADF);
  stop_watching(addon, descriptor);
  return to_number(env, 0);
}

void close_all_descriptors(struct addon *addon) {
  for (size_t i = 0; i < addon->descriptor_count; i++) close(addon->descriptors[i]);
  free(addon->descriptors);
  addon->descriptors = NULL;
  addon->descriptor_count = addon->descriptor_space = 0;
}
