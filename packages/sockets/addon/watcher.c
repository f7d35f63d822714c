#include <errno.h>
#include <stdlib.h>

#include "addon.h"

enum { READABLE = 1, WRITABLE = 2 }; /* of uv_poll_event */

/* One descriptor watched on the loop of the thread that asked for it. */
struct watcher {
  struct watcher *next;
  struct addon *addon;
  napi_ref callback;
  napi_async_context context;
  uv_poll_t *poll;
  int descriptor;
  int events;
  bool stopped;
};

static void on_event(uv_poll_t *poll, int status, int events);

static void report(struct watcher *watcher, int status, int events) {
  napi_env env = watcher->addon->env;
  napi_value receiver, callback, error, arguments[2] = {to_number(env, status), to_number(env, events)};
  if (napi_get_reference_value(env, watcher->callback, &callback) != napi_ok ||
      napi_get_global(env, &receiver) != napi_ok)
    return;
  if (napi_make_callback(env, watcher->context, receiver, callback, 2, arguments, NULL) != napi_pending_exception)
    return;
  /* An exception in the callback is an uncaught one. In a thread that is being terminated there is none to take. */
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

static void on_event(uv_poll_t *poll, int status, int events) {
  struct watcher *watcher = uv_handle_get_data((uv_handle_t *)poll);
  napi_handle_scope scope;
  if (napi_open_handle_scope(watcher->addon->env, &scope) != napi_ok) return;
  report(watcher, status, events);
  napi_close_handle_scope(watcher->addon->env, scope);
  /* libuv stops a handle whose socket has an error pending. The callback has read the error; go on with the socket. */
  if (status < 0 && !watcher->stopped) uv_poll_start(poll, watcher->events, on_event);
}

static void on_closed(uv_handle_t *handle) {
  struct watcher *watcher = uv_handle_get_data(handle);
  struct addon *addon = watcher->addon;
  struct watcher **link = &addon->watchers;
  while (*link != watcher) link = &(*link)->next;
  *link = watcher->next;
  free(watcher->poll);
  free(watcher);
  if (addon->watchers == NULL) watchers_gone(addon);
}

static void stop(struct watcher *watcher) {
  napi_env env = watcher->addon->env;
  watcher->stopped = true;
  uv_poll_stop(watcher->poll);
  if (watcher->context) napi_async_destroy(env, watcher->context);
  if (watcher->callback) napi_delete_reference(env, watcher->callback);
  watcher->context = NULL;
  watcher->callback = NULL;
  uv_close((uv_handle_t *)watcher->poll, on_closed);
}

void stop_watching(struct addon *addon, int descriptor) {
  for (struct watcher *watcher = addon->watchers; watcher; watcher = watcher->next)
    if (watcher->descriptor == descriptor && !watcher->stopped) stop(watcher);
}

void stop_all_watchers(struct addon *addon) {
  for (struct watcher *watcher = addon->watchers; watcher; watcher = watcher->next)
    if (!watcher->stopped) stop(watcher);
}

/* A watcher on the loop, linked to the addon; NULL with *error set otherwise. */
static struct watcher *create(struct addon *addon, int descriptor, int events, int *error) {
  uv_loop_t *loop = NULL;
  struct watcher *watcher = calloc(1, sizeof *watcher);
  uv_poll_t *poll = malloc(uv_handle_size(TM_UV_POLL));
  *error = -ENOMEM;
  if (watcher && poll && napi_get_uv_event_loop(addon->env, &loop) == napi_ok)
    *error = uv_poll_init(loop, poll, descriptor);
  if (*error < 0) {
    free(poll);
    free(watcher);
    return NULL;
  }
  *watcher = (struct watcher){
      .next = addon->watchers, .addon = addon, .poll = poll, .descriptor = descriptor, .events = events};
  uv_handle_set_data((uv_handle_t *)poll, watcher);
  addon->watchers = watcher;
  return watcher;
}

/* Bits that libuv does not know end the process, so they must not reach it. */
static bool get_events(napi_env env, napi_value value, int *events) {
  if (!get_int(env, value, events)) return false;
  if (*events > 0 && *events <= (READABLE | WRITABLE)) return true;
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "expected readable, writable or both");
  return false;
}

static bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_function) return true;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a function");
  return false;
}

/* watch(descriptor, events, callback): callback(status, events) whenever the socket is ready, until it is unwatched. */
napi_value socket_watch(napi_env env, napi_callback_info info) {
  napi_value arguments[3], name;
  struct addon *addon;
  int descriptor, events, error;
  if (!get_arguments(env, info, 3, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_events(env, arguments[1], &events) || !is_function(env, arguments[2]))
    return NULL;
  if (addon->closing) return to_number(env, -ECANCELED);
  struct watcher *watcher = create(addon, descriptor, events, &error);
  if (!watcher) return to_number(env, error);
  if (napi_create_reference(env, arguments[2], 1, &watcher->callback) != napi_ok ||
      napi_create_string_utf8(env, "typemetal:socket", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, NULL, name, &watcher->context) != napi_ok) {
    stop(watcher);
    return to_number(env, -EINVAL);
  }
  error = uv_poll_start(watcher->poll, events, on_event);
  if (error < 0) stop(watcher);
  return to_number(env, error);
}

/* rewatch(descriptor, events): other events from now on, the same callback; -ENOENT when it is not watched. */
napi_value socket_rewatch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  int descriptor, events;
  if (!get_arguments(env, info, 2, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_events(env, arguments[1], &events))
    return NULL;
  for (struct watcher *watcher = addon->watchers; watcher; watcher = watcher->next) {
    if (watcher->descriptor != descriptor || watcher->stopped) continue;
    watcher->events = events;
    return to_number(env, uv_poll_start(watcher->poll, events, on_event));
  }
  return to_number(env, -ENOENT);
}

/* unwatch(descriptor) */
napi_value socket_unwatch(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int descriptor;
  if (!get_arguments(env, info, 1, arguments, &addon) || !get_int(env, arguments[0], &descriptor)) return NULL;
  stop_watching(addon, descriptor);
  return to_number(env, 0);
}
