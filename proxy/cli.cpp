#include "proxy/cli.hpp"

#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include "config/load.hpp"
#include "config/scalar.hpp"
#include "proxy/admin/http_get.hpp"
#include "proxy/server.hpp"

namespace weirpool::proxy {

namespace {

constexpr const char* kDatabaseUrl = "DATABASE_URL";
constexpr const char* kDefaultHttp = "127.0.0.1:9127";

std::string database_url() {
  const char* url = std::getenv(kDatabaseUrl);
  return url == nullptr ? "" : url;
}

/// The file, or else DATABASE_URL; complaints go to standard error.
config::Snapshot load(const std::string& file) {
  const std::string url = database_url();
  if (file.empty() && url.empty()) {
    std::cerr << "weirpool: needs --config FILE or " << kDatabaseUrl << " in the environment\n";
    return nullptr;
  }
  const config::Loaded loaded = file.empty() ? config::load_url(url) : config::load_file(file);
  std::cerr << config::describe(loaded.problems, loaded.source);
  return loaded.config;
}

int run(const std::string& file) {
  const RunOptions options{file, file.empty() ? database_url() : ""};
  if (options.config_file.empty() && options.database_url.empty()) {
    std::cerr << "weirpool: needs --config FILE or " << kDatabaseUrl << " in the environment\n";
    return kExitUsage;
  }
  return run_server(options);
}

int check(const std::string& file, bool online) {
  const config::Snapshot config = load(file);
  if (!config) return file.empty() && database_url().empty() ? kExitUsage : kExitConfig;
  if (online) return check_online(config, std::cout);
  std::cout << "configuration is valid\n";
  return kExitOk;
}

int dump(const std::string& file) {
  const config::Snapshot config = load(file);
  if (!config) return file.empty() && database_url().empty() ? kExitUsage : kExitConfig;
  std::cout << config::dump(*config);
  return kExitOk;
}

/// host:port/path with or without http:// in front.
int healthcheck(std::string url) {
  constexpr std::string_view kScheme = "http://";
  if (url.starts_with(kScheme)) url.erase(0, kScheme.size());
  const std::size_t slash = url.find('/');
  const std::string path = slash == std::string::npos ? "/livez" : url.substr(slash);
  const auto address = config::parse_address(url.substr(0, slash));
  if (!address.value) {
    std::cerr << "weirpool: --url: " << address.error << "\n";
    return kExitUsage;
  }
  const admin::HttpAnswer answer = admin::http_get(*address.value, path);
  if (answer.status == 200) return kExitOk;
  std::cerr << "weirpool: not healthy: "
            << (answer.error.empty() ? "status " + std::to_string(answer.status) : answer.error)
            << "\n";
  return kExitFailure;
}

std::string versions() {
  std::ostringstream out;
  out << "weirpool " << WEIRPOOL_VERSION << "\n"
      << "boost " << BOOST_VERSION / 100000 << "." << BOOST_VERSION / 100 % 1000 << "."
      << BOOST_VERSION % 100 << "\n"
      << OpenSSL_version(OPENSSL_VERSION);
  return std::move(out).str();
}

int version() {
  std::cout << versions() << "\n";
  return kExitOk;
}

/// What the command line asked for; the parser fills it, dispatch() reads it.
struct Arguments {
  CLI::App app{"A pool of database connections that many clients share (PostgreSQL, MySQL)."};
  std::string file;
  std::string url = kDefaultHttp;
  bool online = false;
  CLI::App* run = nullptr;
  CLI::App* check = nullptr;
  CLI::App* config = nullptr;
  CLI::App* healthcheck = nullptr;
  CLI::App* version = nullptr;

  Arguments();
};

Arguments::Arguments() {
  app.name("weirpool");
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", versions);
  run = app.add_subcommand("run", "serve in the foreground");
  run->add_option("-c,--config", file, "configuration file; without it DATABASE_URL is served");
  check = app.add_subcommand("check", "validate a configuration");
  check->add_option("-c,--config", file, "configuration file");
  check->add_flag("--online", online, "also connect and log in to every backend");
  config = app.add_subcommand("config", "print what is known about configurations");
  config->require_subcommand(1);
  config->add_subcommand("sample", "the commented sample");
  config->add_subcommand("schema", "the JSON Schema");
  config->add_subcommand("reference", "the reference page, Markdown");
  config->add_subcommand("dump", "the effective configuration, secrets redacted")
      ->add_option("-c,--config", file, "configuration file");
  healthcheck = app.add_subcommand("healthcheck", "exit 0 if a running weirpool is healthy");
  healthcheck->add_option("--url", url, "where it answers, host:port[/path]")
      ->capture_default_str();
  version = app.add_subcommand("version", "versions of everything linked");
}

int dispatch(const Arguments& arguments) {
  if (arguments.run->parsed()) return run(arguments.file);
  if (arguments.check->parsed()) return check(arguments.file, arguments.online);
  if (arguments.healthcheck->parsed()) return healthcheck(arguments.url);
  if (arguments.version->parsed()) return version();
  const CLI::App& config = *arguments.config;
  if (config.got_subcommand("sample")) std::cout << config::sample();
  if (config.got_subcommand("schema")) std::cout << config::schema();
  if (config.got_subcommand("reference")) std::cout << config::reference();
  return config.got_subcommand("dump") ? dump(arguments.file) : kExitOk;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  Arguments arguments;
  try {
    arguments.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return arguments.app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  try {
    return dispatch(arguments);
  } catch (const std::exception& error) {
    std::cerr << "weirpool: " << error.what() << "\n";
    return kExitFailure;
  }
}

}  // namespace weirpool::proxy
