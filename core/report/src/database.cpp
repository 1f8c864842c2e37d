// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <cmath>

#include <fmt/format.h>
#include <sqlite3.h>

#include "nbs/error.h"
#include "nbs/record/metrics_file.h"

#include "summary.h"

namespace nbs::report {

namespace {

// A database in memory. Whatever SQLite refuses becomes an Error.
class Database {
 public:
  Database() {
    if (sqlite3_open(":memory:", &handle_) == SQLITE_OK) return;
    const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : "no memory";
    sqlite3_close(handle_);
    throw Error(fmt::format("SQLite cannot make a database: {}", reason));
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* handle() const { return handle_; }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
      throw Error(fmt::format("SQLite cannot write the database: {}", sqlite3_errmsg(handle_)));
  }
  void execute(const std::string& statement) const {
    check(sqlite3_exec(handle_, statement.c_str(), nullptr, nullptr, nullptr));
  }
  std::string bytes() const {
    sqlite3_int64 size = 0;
    unsigned char* const data = sqlite3_serialize(handle_, "main", &size, 0);
    if (data == nullptr) throw Error("SQLite cannot write the database: there is not enough memory");
    std::string text(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    sqlite3_free(data);
    return text;
  }

 private:
  sqlite3* handle_ = nullptr;
};

// Rows for one table; what is not known is NULL.
class Insert {
 public:
  Insert(const Database& database, const std::string& table, int columns) : database_(database) {
    std::string places = "?";
    for (int i = 1; i < columns; ++i)
      places += ", ?";
    database_.check(sqlite3_prepare_v2(database_.handle(),
                                       fmt::format("INSERT INTO {} VALUES ({})", table, places).c_str(), -1,
                                       &statement_, nullptr));
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  Insert& add(const std::string& text) {
    database_.check(
        sqlite3_bind_text(statement_, ++place_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
    return *this;
  }
  Insert& add(std::int64_t number) {
    database_.check(sqlite3_bind_int64(statement_, ++place_, number));
    return *this;
  }
  Insert& add(double number) {
    ++place_;
    if (std::isfinite(number)) database_.check(sqlite3_bind_double(statement_, place_, number));
    return *this;
  }
  template <typename T>
  Insert& add(const std::optional<T>& value) {
    if (value) return add(*value);
    ++place_;
    return *this;
  }
  void end() {
    database_.check(sqlite3_step(statement_));
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    place_ = 0;
  }

 private:
  const Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int place_ = 0;
};

// The first columns of runs; a column for each score follows.
constexpr const char* kRunColumns =
    "run TEXT PRIMARY KEY, name TEXT, state TEXT, dataset TEXT, method TEXT, seed INTEGER, split_seed INTEGER, "
    "labeled INTEGER, iterations INTEGER, threshold REAL, seconds REAL, peak_memory_mib REAL, started TEXT, "
    "revision TEXT";
constexpr int kRunColumnCount = 14;

void add_images(Insert& images, const std::string& run, const char* role,
                const std::vector<record::ImageScore>& scores) {
  for (const auto& image : scores) {
    images.add(run).add(image.id).add(std::string(role)).add(image.type);
    images.add(image.f1).add(image.precision).add(image.recall);
    images.add(image.true_positives).add(image.false_positives).add(image.false_negatives).end();
  }
}

void add_metrics(Insert& metrics, const std::string& run, const std::filesystem::path& folder) {
  for (const auto& curve : record::read_metrics(record::RunDirectory(folder).metrics()).curves) {
    for (const auto& point : curve.points)
      metrics.add(run).add(static_cast<std::int64_t>(point.x)).add(curve.name).add(point.y).end();
  }
}

}  // namespace

std::string database(const std::filesystem::path& folder, const std::vector<RunRecord>& records) {
  const Database database;
  std::string columns = kRunColumns;
  for (const auto& column : record::score_infos())
    columns += fmt::format(", {} REAL", column.name);
  database.execute(fmt::format("CREATE TABLE runs ({})", columns));
  database.execute("CREATE TABLE options (run TEXT, option TEXT, value TEXT, PRIMARY KEY (run, option))");
  database.execute(
      "CREATE TABLE metrics (run TEXT, iteration INTEGER, metric TEXT, value REAL, PRIMARY KEY (run, metric, "
      "iteration)) WITHOUT ROWID");
  database.execute(
      "CREATE TABLE images (run TEXT, image TEXT, role TEXT, type TEXT, f1 REAL, precision REAL, recall REAL, "
      "true_positives INTEGER, false_positives INTEGER, false_negatives INTEGER)");
  database.execute("BEGIN");
  Insert runs(database, "runs", kRunColumnCount + static_cast<int>(record::score_infos().size()));
  Insert options(database, "options", 3);
  Insert metrics(database, "metrics", 4);
  Insert images(database, "images", 10);
  for (const auto& run : records) {
    const auto place = place_below(folder, run);
    const auto result = run.result.value_or(record::RunResult{});
    runs.add(place).add(run.name).add(std::string(state_name(run.state))).add(run.dataset).add(run.method);
    runs.add(run.seed).add(run.split_seed).add(run.labeled).add(run.iterations).add(result.threshold);
    runs.add(run.total_seconds()).add(result.peak_memory_mib).add(run.provenance.started).add(run.provenance.revision);
    for (const auto& column : record::score_infos())
      runs.add(run.score(column.score));
    runs.end();
    for (const auto& [name, value] : run.options)
      options.add(place).add(name).add(to_text(value)).end();
    if (std::filesystem::is_directory(run.folder)) add_metrics(metrics, place, run.folder);
    if (result.expected) add_images(images, place, "labeled", result.expected->by_image);
    if (result.scores) add_images(images, place, "unlabeled", result.scores->by_image);
  }
  database.execute("COMMIT");
  return database.bytes();
}

}  // namespace nbs::report
