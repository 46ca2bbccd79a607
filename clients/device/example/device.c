/* A device as a command line program: prints each message that is shown, one JSON line each, and reports it as opened.
 *
 *   godwit-device HOST PORT APP DEVICE_ID CREDENTIAL [--tls] [--ca FILE] [--memory FILE] [--no-open]
 *
 * Ends at the end of its standard input. */
#include <godwit/device.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int opens = 1;

static void on_message(gwd_device* device, void* user, const char* message_id, const char* json, size_t size) {
  (void)user;
  fprintf(stdout, "%.*s\n", (int)size, json);
  fflush(stdout);
  /* A real app reports this when the person taps the notification. */
  if (opens) gwd_report(device, message_id, "opened");
}

static void on_state(gwd_device* device, void* user, gwd_state state, const char* why) {
  static const char* const names[] = {"waiting", "connecting", "connected", "refused"};
  (void)device;
  (void)user;
  fprintf(stderr, "%s%s%s\n", names[state], *why ? ": " : "", why);
}

int main(int argc, char** argv) {
  gwd_options options = GWD_OPTIONS_INIT;
  gwd_device* device;
  const char* error = "";
  char line[64];
  int i;
  if (argc < 6) {
    fprintf(stderr, "usage: %s HOST PORT APP DEVICE_ID CREDENTIAL [--tls] [--ca FILE] [--memory FILE] [--no-open]\n",
            argv[0]);
    return 2;
  }
  options.host = argv[1];
  options.port = (uint16_t)atoi(argv[2]);
  options.app = argv[3];
  options.device_id = argv[4];
  options.credential = argv[5];
  for (i = 6; i < argc; ++i) {
    if (strcmp(argv[i], "--tls") == 0) options.tls = 1;
    if (strcmp(argv[i], "--no-open") == 0) opens = 0;
    if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc) options.ca_file = argv[++i];
    if (strcmp(argv[i], "--memory") == 0 && i + 1 < argc) options.memory_file = argv[++i];
  }
  options.on_message = on_message;
  options.on_state = on_state;
  device = gwd_open(&options, &error);
  if (!device) {
    fprintf(stderr, "%s\n", error);
    return 2;
  }
  gwd_set_foreground(device, 1);
  while (fgets(line, sizeof line, stdin)) {
  }
  gwd_close(device);
  return 0;
}
