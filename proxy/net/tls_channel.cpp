#include "proxy/net/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace weirpool::proxy {
namespace {

/// What a peer may make us answer without reading it (alerts, key updates), bytes.
constexpr std::size_t kUnreadReplyLimit = 16 * 1024;

/// A first-in-first-out byte buffer that holds no memory while empty.
class Fifo {
 public:
  std::size_t size() const { return bytes_.size() - taken_; }
  protocol::Bytes view() const { return protocol::Bytes(bytes_).subspan(taken_); }
  void put(const std::uint8_t* data, std::size_t count) {
    // A reader that never catches up must not make the taken part grow for ever.
    if (taken_ > size()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.insert(bytes_.end(), data, data + count);
  }
  void take(std::size_t count) {
    taken_ += std::min(count, size());
    if (taken_ != bytes_.size()) return;
    std::vector<std::uint8_t>().swap(bytes_);
    taken_ = 0;
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t taken_ = 0;
};

std::string reason_of_queue() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "protocol error" : reason;
}

bool is_ip_address(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  ERR_clear_error();
  if (address == nullptr) return false;
  ASN1_OCTET_STRING_free(address);
  return true;
}

}  // namespace

/// Both directions of the ciphertext. It has a stable address, so that the channel can move.
struct TlsChannel::Wire {
  Fifo input;
  Fifo output;
  std::size_t unread_replies = 0;  ///< put out by read() since output was last empty

  static int on_write(BIO* bio, const char* data, int count) {
    if (count <= 0) return 0;
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    wire->output.put(reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(count));
    return count;
  }

  static int on_read(BIO* bio, char* data, int wanted) {
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t count =
        std::min(wire->input.size(), wanted > 0 ? static_cast<std::size_t>(wanted) : 0);
    if (count == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(data, wire->input.view().data(), count);
    wire->input.take(count);
    return static_cast<int>(count);
  }

  static long on_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

  /// One table of functions for the whole process, made on first use (thread-safe since C++11) and
  /// kept: connections of detached threads may outlive static destruction.
  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weirpool");
      if (fresh == nullptr) return fresh;
      BIO_meth_set_write(fresh, on_write);
      BIO_meth_set_read(fresh, on_read);
      BIO_meth_set_ctrl(fresh, on_control);
      return fresh;
    }();
    return made;
  }
};

void TlsChannel::FreeWire::operator()(Wire* wire) const { delete wire; }

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context, Role role,
                       const std::string& peer_name)
    : context_(std::move(context)),
      wire_(new Wire),
      ssl_(SSL_new(context_->native())),
      peer_name_(peer_name),
      role_(role) {
  ERR_clear_error();
  if (!ssl_ || !attach_wire()) {
    fail("out of memory");
    return;
  }
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  if (!expect_peer(peer_name)) fail("the peer's name cannot be checked: '" + peer_name + "'");
}

TlsChannel& TlsChannel::operator=(TlsChannel&& other) noexcept {
  // The old SSL goes before the wire its BIO points to.
  ssl_ = std::move(other.ssl_);
  wire_ = std::move(other.wire_);
  context_ = std::move(other.context_);
  error_ = std::move(other.error_);
  peer_name_ = std::move(other.peer_name_);
  role_ = other.role_;
  finished_ = other.finished_;
  failed_ = other.failed_;
  return *this;
}

bool TlsChannel::attach_wire() {
  BIO_METHOD* const method = Wire::method();
  BIO* const bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return false;
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  return true;
}

bool TlsChannel::expect_peer(const std::string& peer_name) {
  const bool address = is_ip_address(peer_name);
  if (!address && !peer_name.empty() &&
      SSL_set_tlsext_host_name(ssl_.get(), peer_name.c_str()) != 1) {
    return false;
  }
  if (!context_->verify_host()) return true;
  if (peer_name.empty()) return false;
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return (address ? X509_VERIFY_PARAM_set1_ip_asc(rules, peer_name.c_str())
                  : X509_VERIFY_PARAM_set1_host(rules, peer_name.data(), peer_name.size())) == 1;
}

TlsChannel::Status TlsChannel::fail(std::string_view reason) {
  failed_ = true;
  if (error_.empty()) error_ = reason;
  return Status::failed;
}

TlsChannel::Status TlsChannel::status_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Status::need_input;
    case SSL_ERROR_ZERO_RETURN: return Status::closed;
    default: break;
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  const std::string reason = reason_of_queue();
  if (verified == X509_V_OK || SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) {
    return fail(reason);
  }
  return fail(std::string("certificate verify failed: ") + X509_verify_cert_error_string(verified));
}

TlsChannel::Status TlsChannel::handshake() {
  if (failed_) return Status::failed;
  if (finished_) return Status::ok;
  // SSL_get_error reads the thread's error queue, which other users of OpenSSL may have filled.
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return status_of(result);
  finished_ = true;
  return Status::ok;
}

void TlsChannel::feed(protocol::Bytes ciphertext) {
  if (!failed_) wire_->input.put(ciphertext.data(), ciphertext.size());
}

TlsChannel::Outcome TlsChannel::read(protocol::MutableBytes plain) {
  if (failed_) return {Status::failed, 0};
  if (plain.empty()) return {Status::ok, 0};
  if (!finished_) {
    const Status status = handshake();
    if (status != Status::ok) return {status, 0};
  }
  ERR_clear_error();
  const std::size_t before = wire_->output.size();
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), plain.data(), plain.size(), &count);
  wire_->unread_replies += wire_->output.size() - before;
  if (wire_->unread_replies > kUnreadReplyLimit) {
    return {fail("the peer demands answers and does not read them"), 0};
  }
  return result == 1 ? Outcome{Status::ok, count} : Outcome{status_of(result), 0};
}

TlsChannel::Outcome TlsChannel::write(protocol::Bytes plain) {
  if (failed_) return {Status::failed, 0};
  if (!finished_ || wire_->output.size() > kOutgoingLimit) return {Status::need_input, 0};
  if (plain.empty()) return {Status::ok, 0};
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
  return result == 1 ? Outcome{Status::ok, count} : Outcome{status_of(result), 0};
}

protocol::Bytes TlsChannel::outgoing() const { return wire_->output.view(); }

void TlsChannel::consumed(std::size_t count) {
  wire_->output.take(count);
  if (wire_->output.size() == 0) wire_->unread_replies = 0;
}

bool TlsChannel::has_pending_plaintext() const {
  return !failed_ && (SSL_pending(ssl_.get()) > 0 || wire_->input.size() > 0);
}

std::vector<std::uint8_t> TlsChannel::end_point() const {
  X509* const shown = role_ == Role::server ? SSL_get_certificate(ssl_.get())
                                            : SSL_get0_peer_certificate(ssl_.get());
  int digest = NID_undef;
  if (shown == nullptr || !finished_ ||
      OBJ_find_sigid_algs(X509_get_signature_nid(shown), &digest, nullptr) != 1) {
    return {};
  }
  // "If the hash function is MD5 or SHA-1, use SHA-256."
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* const kind = EVP_get_digestbynid(digest);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  const bool hashed = kind != nullptr && X509_digest(shown, kind, hash.data(), &size) == 1;
  ERR_clear_error();
  return hashed ? std::vector<std::uint8_t>(hash.data(), hash.data() + size)
                : std::vector<std::uint8_t>();
}

std::string_view TlsChannel::application() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool TlsChannel::peer_is_trusted() const {
  return finished_ && SSL_get0_peer_certificate(ssl_.get()) != nullptr &&
         SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
         SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

std::optional<std::string> TlsChannel::peer_common_name() const {
  if (!peer_is_trusted()) return std::nullopt;
  const X509_NAME* const subject = X509_get_subject_name(SSL_get0_peer_certificate(ssl_.get()));
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return std::nullopt;
  unsigned char* text = nullptr;
  const ASN1_STRING* const entry = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  const int size = ASN1_STRING_to_UTF8(&text, entry);
  ERR_clear_error();
  if (size < 0) return std::nullopt;
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  // "app\0.evil.example" must not be taken for "app".
  if (name.empty() || name.find('\0') != std::string::npos) return std::nullopt;
  return name;
}

void TlsChannel::shutdown() {
  if (failed_ || !finished_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

}  // namespace weirpool::proxy
