#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

/* setRealTime(priority): SCHED_RR for the calling thread alone; 0 for the ordinary policy. musl refuses the library call. */
napi_value thread_set_real_time(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int priority;
  if (!get_arguments(env, info, 1, arguments, &addon) || !get_int(env, arguments[0], &priority)) return NULL;
  struct sched_param parameters = {.sched_priority = priority};
  int policy = priority > 0 ? SCHED_RR | SCHED_RESET_ON_FORK : SCHED_OTHER;
  return to_result(env, syscall(SYS_sched_setscheduler, 0, policy, &parameters));
}
