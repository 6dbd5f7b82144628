/**
 * A Slurm cluster of two nodes on this host, without systemd: its own ports, keys and folder. All of its
 * processes, and those of its jobs, have the path of its configuration in their environment; only such
 * processes are ever signalled.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';

export type NodeName = 'n1' | 'n2';

export interface Cluster {
  environment: NodeJS.ProcessEnv;
  /** Runs a program of Slurm. */
  run(program: string, ...args: string[]): string;
  startNode(name: NodeName): void;
  /** As when its power fails: the daemon, and all that it has started for a job, are gone. */
  killNode(name: NodeName, job: number): void;
  /** Kills the process tree of a task, whose daemon notices. */
  killTask(task: number): void;
  stop(): void;
}

export async function startCluster(folder: string): Promise<Cluster> {
  const file = join(folder, 'slurm.conf');
  const ports = await freePorts(3);
  for (const name of ['state', 'spool/n1', 'spool/n2', 'munge']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(folder, 'munge/key'), randomBytes(1024), { mode: 0o400 });
  writeFileSync(file, configuration(folder, ports));
  const environment = { ...process.env, SLURM_CONF: file };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, {
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const startNode = (name: NodeName) => run('slurmd', '-N', name);
  const munge = ['key-file=key', 'pid-file=pid', 'log-file=log', 'seed-file=seed'].map((option) => {
    const [name, path] = option.split('=') as [string, string];
    return `--${name}=${join(folder, 'munge', path)}`;
  });
  run('munged', '--force', `--socket=${join(folder, 'munge.socket')}`, ...munge);
  run('slurmctld', '-i');
  startNode('n1');
  startNode('n2');
  const own = () => ownProcesses(file);
  return {
    environment,
    run,
    startNode,
    killNode(name, job) {
      const ofJob = own().filter(
        ({ command, job: number }) => number === job || command.startsWith(`slurmstepd: [${job}.`),
      );
      const daemon = Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));
      // The one that would report the end of the job goes first.
      const order = ofJob.sort((a, b) => Number(a.job !== undefined) - Number(b.job !== undefined));
      for (const pid of [daemon, ...order.map((one) => one.pid)]) kill(pid);
    },
    killTask(task) {
      for (const { pid } of own().filter((one) => one.task === task)) kill(pid);
    },
    stop() {
      for (const { pid } of own()) kill(pid);
      kill(Number(readFileSync(join(folder, 'munge/pid'), 'utf8')));
    },
  };
}

function configuration(folder: string, [controller, first, second]: readonly number[]): string {
  const host = hostname().split('.')[0];
  const node = `NodeHostname=${host} NodeAddr=127.0.0.1 CPUs=2`;
  return `
ClusterName=killme
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdPidFile=${folder}/%n.pid
SlurmdLogFile=${folder}/%n.log
SlurmdSpoolDir=${folder}/spool/%n
StateSaveLocation=${folder}/state
SlurmdParameters=config_overrides
SlurmdTimeout=10
ReturnToService=2
KillWait=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SchedulerParameters=sched_interval=2,batch_sched_delay=1
NodeName=n1 ${node} Port=${first}
NodeName=n2 ${node} Port=${second}
PartitionName=all Nodes=n1,n2 Default=YES State=UP MaxTime=INFINITE
`.trimStart();
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

interface OwnProcess {
  pid: number;
  command: string;
  job?: number;
  task?: number;
}

function ownProcesses(configurationFile: string): OwnProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const read = (file: string) => {
        try {
          return readFileSync(join('/proc', name, file), 'utf8').split('\0');
        } catch {
          return []; // it has ended, or is nobody's business
        }
      };
      const environment = new Map(
        read('environ').map((line) => line.split('=', 2) as [string, string]),
      );
      if (environment.get('SLURM_CONF') !== configurationFile) return [];
      const number = (key: string) =>
        environment.has(key) ? { [key]: Number(environment.get(key)) } : {};
      const { SLURM_JOB_ID: job, SLURM_ARRAY_TASK_ID: task } = {
        ...number('SLURM_JOB_ID'),
        ...number('SLURM_ARRAY_TASK_ID'),
      } as { SLURM_JOB_ID?: number; SLURM_ARRAY_TASK_ID?: number };
      const command = read('cmdline').join(' ');
      return [
        {
          pid: Number(name),
          command,
          ...(job === undefined ? {} : { job }),
          ...(task === undefined ? {} : { task }),
        },
      ];
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
