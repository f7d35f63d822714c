/*
 * @typemetal/sockets: system calls for Node.js, one function each, nothing decided here.
 *
 * Every function takes plain numbers and octets and returns a number of zero or more, or -errno. Only a wrong argument
 * type throws. Addresses, options, control messages and netlink messages are octets that TypeScript builds and reads.
 */
#ifndef TYPEMETAL_ADDON_H
#define TYPEMETAL_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libuv.h"

#define MAX_BATCH 64 /* messages in one recvmmsg or sendmmsg */

struct watcher;

/* What one JavaScript environment (the main thread or a worker) owns. No other thread ever touches it. */
struct addon {
  napi_env env;
  napi_async_cleanup_hook_handle cleanup;
  struct watcher *watchers;
  bool closing;
  int *descriptors; /* open ones that have not been handed over */
  size_t descriptor_count;
  size_t descriptor_space;
};

struct octets {
  uint8_t *data;
  size_t length;
};

/* arguments.c: each returns false after throwing a TypeError. */
bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values, struct addon **addon);
bool get_int(napi_env env, napi_value value, int *result);
bool get_octets(napi_env env, napi_value value, struct octets *result);
bool get_optional_octets(napi_env env, napi_value value, struct octets *result);
bool get_words(napi_env env, napi_value value, uint32_t **data, size_t *count);
napi_value to_number(napi_env env, int64_t number);
/* A system call's result: itself when it succeeded, -errno otherwise. */
napi_value to_result(napi_env env, int64_t result);

/* descriptor.c */
napi_value socket_open(napi_env env, napi_callback_info info);
napi_value socket_close(napi_env env, napi_callback_info info);
napi_value socket_release(napi_env env, napi_callback_info info);
void close_all_descriptors(struct addon *addon);
/* Closes it with the environment; false when there is no memory. */
bool remember(struct addon *addon, int descriptor);

/* timer.c */
napi_value timer_open(napi_env env, napi_callback_info info);
napi_value timer_set(napi_env env, napi_callback_info info);
napi_value timer_read(napi_env env, napi_callback_info info);

/* endpoint.c */
napi_value socket_bind(napi_env env, napi_callback_info info);
napi_value socket_connect(napi_env env, napi_callback_info info);
napi_value socket_listen(napi_env env, napi_callback_info info);
napi_value socket_name(napi_env env, napi_callback_info info);

/* option.c */
napi_value socket_set_option(napi_env env, napi_callback_info info);
napi_value socket_get_option(napi_env env, napi_callback_info info);
napi_value socket_attach_filter(napi_env env, napi_callback_info info);

/* thread.c */
napi_value thread_set_real_time(napi_env env, napi_callback_info info);

/* message.c */
napi_value socket_send(napi_env env, napi_callback_info info);
napi_value socket_receive(napi_env env, napi_callback_info info);

/* watcher.c */
napi_value socket_watch(napi_env env, napi_callback_info info);
napi_value socket_rewatch(napi_env env, napi_callback_info info);
napi_value socket_unwatch(napi_env env, napi_callback_info info);
void stop_watching(struct addon *addon, int descriptor);
void stop_all_watchers(struct addon *addon);

/* addon.c: called when the last watcher is gone; ends the environment's cleanup if that waits for it. */
void watchers_gone(struct addon *addon);

#endif
