#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "addon.h"

/* openTimer(): descriptor of a timer on CLOCK_MONOTONIC (timerfd_create(2)), to be watched like a socket. */
napi_value timer_open(napi_env env, napi_callback_info info) {
  struct addon *addon;
  if (!get_arguments(env, info, 0, NULL, &addon)) return NULL;
  int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (descriptor >= 0 && !remember(addon, descriptor)) {
    close(descriptor);
    return to_number(env, -ENOMEM);
  }
  return to_result(env, descriptor);
}

/* setTimer(descriptor, seconds, nanoseconds): expires once, at that time of the clock; both zero: never. */
napi_value timer_set(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct addon *addon;
  int descriptor, seconds, nanoseconds;
  if (!get_arguments(env, info, 3, arguments, &addon) || !get_int(env, arguments[0], &descriptor) ||
      !get_int(env, arguments[1], &seconds) || !get_int(env, arguments[2], &nanoseconds))
    return NULL;
  struct itimerspec when = {.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds}};
  return to_result(env, timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL));
}

/* readTimer(descriptor): how often it has expired since it was last read or set; -EAGAIN for not at all. */
napi_value timer_read(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int descriptor;
  uint64_t expirations = 0;
  if (!get_arguments(env, info, 1, arguments, &addon) || !get_int(env, arguments[0], &descriptor)) return NULL;
  ssize_t result = read(descriptor, &expirations, sizeof expirations);
  return to_result(env, result < 0 ? -1 : (int64_t)expirations);
}
