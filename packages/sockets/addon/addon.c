#include "addon.h"

#include <stdlib.h>

static void finish(struct addon *addon) {
  close_all_descriptors(addon);
  napi_remove_async_cleanup_hook(addon->cleanup);
  free(addon);
}

void watchers_gone(struct addon *addon) {
  if (addon->closing) finish(addon);
}

/*
 * The environment ends: process exit, or a worker thread that was terminated wherever it was. The loop goes on until the
 * hook is removed, which gives the poll handles the turn they need to close.
 */
static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data) {
  struct addon *addon = data;
  (void)handle;
  addon->closing = true;
  if (addon->watchers == NULL)
    finish(addon);
  else
    stop_all_watchers(addon);
}

static const struct {
  const char *name;
  napi_callback function;
} functions[] = {
    {"open", socket_open},
    {"close", socket_close},
    {"release", socket_release},
    {"bind", socket_bind},
    {"connect", socket_connect},
    {"listen", socket_listen},
    {"name", socket_name},
    {"setOption", socket_set_option},
    {"getOption", socket_get_option},
    {"attachFilter", socket_attach_filter},
    {"send", socket_send},
    {"receive", socket_receive},
    {"watch", socket_watch},
    {"rewatch", socket_rewatch},
    {"unwatch", socket_unwatch},
    {"openTimer", timer_open},
    {"setTimer", timer_set},
    {"readTimer", timer_read},
    {"setRealTime", thread_set_real_time},
};

NAPI_MODULE_INIT() {
  struct addon *addon = calloc(1, sizeof *addon);
  if (!addon) {
    napi_throw_error(env, "ENOMEM", "no memory");
    return NULL;
  }
  addon->env = env;
  if (napi_add_async_cleanup_hook(env, on_environment_end, addon, &addon->cleanup) != napi_ok) {
    free(addon);
    return NULL;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, addon, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return NULL;
  }
  return exports;
}
