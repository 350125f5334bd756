"""A real Slurm on this host: a controller and two nodes, one of which has a GPU as far as Slurm knows (/dev/null).

It uses Debian's slurmctld, slurmd, slurm-client and munge, without a database, cgroups or systemd. All its files are in
one folder, and all its processes end when it is closed.
"""

import getpass
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

CONFIGURATION = """
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[0]}
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=2,sched_interval=2,sched_min_interval=0
PriorityType=priority/basic
SlurmdParameters=config_overrides
GresTypes=gpu
MinJobAge=86400
KillWait=3
InactiveLimit=0
Waittime=0
OverTimeLimit=0
AccountingStorageType=accounting_storage/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=8000 Gres=gpu:1 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES DefaultTime=00:10:00 MaxTime=24:00:00 DefMemPerCPU=500 State=UP
"""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class SlurmCluster:
    """The cluster. `environment` has the variables that its users need."""

    def __init__(self, folder: Path) -> None:
        """Start it, and wait until both nodes are idle; raises TimeoutError with the logs if they are not."""
        self.folder = folder
        folder.chmod(0o755)  # munge refuses a folder that others can write to
        ports = [free_port() for _ in range(3)]
        host = socket.gethostname().split(".")[0]
        text = CONFIGURATION.format(folder=folder, user=getpass.getuser(), host=host, ports=ports)
        (folder / "slurm.conf").write_text(text)
        (folder / "gres.conf").write_text("AutoDetect=off\nNodeName=n1 Name=gpu File=/dev/null\n")
        (folder / "state").mkdir()
        (folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (folder / "munge.key").chmod(0o600)
        # Slurm's variables do not reach the steps of a job, so each command is told here which Slurm it belongs to
        (folder / "bin").mkdir()
        for program in ("srun", "sbatch", "scancel", "squeue", "scontrol", "sinfo"):
            path = folder / "bin" / program
            path.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec /usr/bin/{program} "$@"\n')
            path.chmod(0o755)
        self.environment = {"PATH": f"{folder}/bin:{PATH}", "SLURM_CONF": str(folder / "slurm.conf")}
        try:
            munge = {name: folder / f"munge.{name}" for name in ("socket", "key", "pid", "log", "seed")}
            self.start(
                "munged",
                *("--force", f"--socket={munge['socket']}", f"--key-file={munge['key']}", f"--pid-file={munge['pid']}"),
                *(f"--log-file={munge['log']}", f"--seed-file={munge['seed']}"),
            )
            self.start("slurmctld", "-i")
            for node in ("n1", "n2"):
                (folder / f"spool-{node}").mkdir()
                self.start("slurmd", "-N", node)
            deadline = time.monotonic() + 30
            while self.command("sinfo", "-h", "-N", "-o", "%t").split() != ["idle", "idle"]:
                if time.monotonic() > deadline:
                    raise TimeoutError("\n".join(path.read_text() for path in folder.glob("*.log")))
                time.sleep(0.2)
        except BaseException:
            self.close()
            raise

    def start(self, program: str, *arguments: str) -> None:
        """Start a daemon."""
        subprocess.run([program, *arguments], env=self.environment, check=True, capture_output=True)

    def command(self, *command: str) -> str:
        """Return what a Slurm command prints."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def queue(self) -> list[str]:
        """Return the numbers of the jobs that are queued or running."""
        return self.command("squeue", "--noheader", "--format=%i").split()

    def records(self) -> list[dict[str, str]]:
        """Return Slurm's record of each job, finished ones included: JobId, JobState, NodeList, TimeLimit and so on."""
        lines = self.command("scontrol", "--oneliner", "show", "job").splitlines()
        return [dict(re.findall(r"([\w/:]+)=(\S*)", line)) for line in lines if "JobId=" in line]

    def close(self) -> None:
        """Cancel all jobs, and stop the daemons."""
        self.command("scancel", "--user", getpass.getuser())
        for name in ("slurmd-n1", "slurmd-n2", "slurmctld", "munge"):
            path = self.folder / f"{name}.pid"
            if path.exists():
                pid = int(path.read_text())
                os.kill(pid, signal.SIGTERM)
                deadline = time.monotonic() + 10
                while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                    time.sleep(0.1)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Return the processes of the cluster and of its jobs, whose environment has the name of the folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.folder).encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return found
