// SPDX-License-Identifier: Apache-2.0
#include "cluster.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nbs::test {

namespace {

namespace fs = std::filesystem;

// A port that nobody uses at this moment.
int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  close(descriptor);
  return ntohs(address.sin_port);
}

// Not all are on the PATH of users.
std::string program(const std::string& name) {
  for (const auto* const folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    if (access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  return "";
}

bool has_variable(const std::string& environment, const std::string& variable) {
  return ('\0' + environment).find('\0' + variable + '\0') != std::string::npos;
}

}  // namespace

std::string shell(const std::string& line) {
  const Scratch scratch;
  const auto file = scratch / "output";
  if (std::system(("{ " + line + "\n} > '" + file.string() + "' 2>&1").c_str()) < 0) return "";
  return nbs::read_file(file);
}

Cluster::Cluster() {
  problem_ = start();
}

Cluster::~Cluster() {
  for (const auto* const node : {"n1", "n2"})
    kill_node(node);
  daemons_.clear();
}

void Cluster::write_configuration() const {
  const auto base = folder_.path().string();
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const passwd* const user = getpwuid(geteuid());
  std::ostringstream text;
  text << "ClusterName=nbs\nSlurmctldHost=" << host << "(127.0.0.1)\nSlurmUser=" << user->pw_name
       << "\nSlurmdUser=" << user->pw_name << "\nAuthType=auth/munge\nAuthInfo=socket=" << base << "/munge.socket\n"
       << "CredType=cred/munge\nSlurmctldPort=" << free_port() << "\nStateSaveLocation=" << base
       << "/state\nSlurmdSpoolDir=" << base << "/spool-%n\nSlurmctldPidFile=" << base
       << "/slurmctld.pid\nSlurmdPidFile=" << base << "/%n.pid\nMailProg=/bin/true\n"
       << "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/cons_tres\n"
       << "SelectTypeParameters=CR_Core\nMpiDefault=none\nJobAcctGatherType=jobacct_gather/none\n"
       << "AccountingStorageType=accounting_storage/none\nReturnToService=2\nSlurmdTimeout=5\nSlurmctldTimeout=5\n"
       << "KillWait=10\nMinJobAge=300\nMaxArraySize=3\nSchedulerParameters=sched_interval=2,bf_interval=2\n"
       << "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\n";
  for (const auto* const node : {"n1", "n2"})
    text << "NodeName=" << node << " NodeHostname=" << host << " NodeAddr=127.0.0.1 Port=" << free_port()
         << " CPUs=2 RealMemory=1000 State=UNKNOWN\n";
  text << "PartitionName=low Nodes=n1,n2 Default=YES PriorityTier=1 PreemptMode=REQUEUE MaxTime=INFINITE State=UP\n"
       << "PartitionName=high Nodes=n1,n2 PriorityTier=9 PreemptMode=OFF MaxTime=INFINITE State=UP\n";
  folder_.write("slurm.conf", text.str());
}

void Cluster::start_daemon(const std::string& name, const std::vector<std::string>& words) {
  auto all = words;
  all.front() = program(words.front());
  fs::create_directories(folder_ / ("out-" + name));
  daemons_[name].reset();
  daemons_[name] = std::make_unique<Background>(all, folder_ / ("out-" + name));
}

void Cluster::start_controller() {
  start_daemon("slurmctld", {"slurmctld", "-D", "-f", (folder_ / "slurm.conf").string()});
}

void Cluster::kill_controller() {
  daemons_.erase("slurmctld");
}

void Cluster::start_node(const std::string& node) {
  start_daemon(node, {"slurmd", "-D", "-N", node, "-f", (folder_ / "slurm.conf").string()});
}

void Cluster::kill_node(const std::string& node) {
  std::vector<std::string> keepers;  // the processes that look after its jobs
  std::istringstream ids(shell("squeue --noheader --states=RUNNING,COMPLETING --nodelist=" + node + " --format=%A"));
  for (std::string id; ids >> id;)
    keepers.push_back("slurmstepd: [" + id + ".");
  daemons_.erase(node);
  const auto conf = "SLURM_CONF=" + (folder_ / "slurm.conf").string();
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process <= 0 || process == getpid()) continue;
    try {
      const auto environment = nbs::read_file(entry.path() / "environ");
      if (!has_variable(environment, conf)) continue;
      const auto words = nbs::read_file(entry.path() / "cmdline");
      const bool keeper = std::any_of(keepers.begin(), keepers.end(),
                                      [&](const std::string& begin) { return words.rfind(begin, 0) == 0; });
      if (keeper || has_variable(environment, "SLURMD_NODENAME=" + node)) kill(process, SIGKILL);
    } catch (const std::exception&) {
      // It has ended meanwhile.
    }
  }
}

std::string Cluster::start() {
  for (const auto* const name : {"munged", "slurmctld", "slurmd", "sbatch"}) {
    if (program(name).empty()) return std::string(name) + " is not installed (Debian: apt-get install slurm-wlm munge)";
  }
  const auto base = folder_.path();
  fs::permissions(base, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  fs::create_directory(base / "state");
  folder_.write("munge.key", std::string(64, 'k') + std::to_string(getpid()));
  fs::permissions(base / "munge.key", fs::perms::owner_read);
  write_configuration();
  setenv("SLURM_CONF", (base / "slurm.conf").c_str(), 1);
  start_daemon("munged", {"munged", "--foreground", "--force", "--socket=" + (base / "munge.socket").string(),
                          "--key-file=" + (base / "munge.key").string(), "--pid-file=" + (base / "munge.pid").string(),
                          "--log-file=" + (base / "munge.log").string(), "--seed-file=" + (base / "seed").string()});
  if (!wait_until([&] { return fs::exists(base / "munge.socket"); }, 10)) return "munged does not start";
  start_controller();
  for (const auto* const node : {"n1", "n2"})
    start_node(node);
  const auto idle = [] { return shell("sinfo --noheader --Node --partition=low --format=%t"); };
  if (!wait_until([&] { return usleep(200000), idle() == "idle\nidle\n"; }, 40))
    return "the nodes do not come up: " + idle() + daemons_["slurmctld"]->errors() + daemons_["n1"]->errors();
  return "";
}

}  // namespace nbs::test
