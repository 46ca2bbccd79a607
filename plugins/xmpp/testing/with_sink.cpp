// with_sink CONFIG COMMAND...: runs a command beside a Sink that sends receipts. In CONFIG, {port} is the sink's port;
// the command's arguments name the filled-in file as {config}. Answers the command's exit code.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "plugins/xmpp/testing/sink.hpp"

namespace {

std::string replace(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return std::cerr << "usage: with_sink CONFIG COMMAND...\n", 2;
  const xmpp::testing::Sink sink({.sends_receipts = true});
  std::ifstream given(words[1]);
  std::stringstream config;
  config << given.rdbuf();
  char path[] = "/tmp/with_sink_XXXXXX";
  const int file = ::mkstemp(path);
  const std::string filled = replace(config.str(), "{port}", std::to_string(sink.port()));
  if (file < 0 || ::write(file, filled.data(), filled.size()) != static_cast<ssize_t>(filled.size()))
    return std::cerr << "with_sink: cannot write " << path << "\n", 2;
  ::close(file);

  std::vector<std::string> command;
  for (int i = 2; i < count; ++i) command.push_back(replace(words[i], "{config}", path));
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::unlink(path);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
