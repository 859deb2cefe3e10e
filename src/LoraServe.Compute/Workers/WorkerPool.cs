using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace LoraServe.Compute.Workers;

/// <summary>A fixed set of threads that do the shares of one job together; the caller is one of them.</summary>
/// <remarks>
/// Idle threads spin for less than a millisecond and then park. A share that no thread has begun when the caller is done with its own is
/// done by the caller, so a thread that lost its core delays nobody. One job runs at a time and allocates nothing; a job must not
/// call <see cref="Run"/> on its own pool.
/// </remarks>
public sealed unsafe class WorkerPool : IDisposable
{
    // Spinning outlasts the gaps inside a step (tens of µs), and ends soon enough that an idle server leaves its cores alone.
    private const int SpinsBeforeParking = 8192;
    private const int SpinsPerYield = 64;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private readonly Lock _caller = new();

    // Upper half: number of the job; lower half: its next share that nobody has begun.
    private long _ticket;
    private volatile int _unfinished;
    private volatile int _parked;
    private volatile bool _stopping;
    private delegate*<void*, int, int, void> _entry;
    private void* _job;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts <paramref name="workerCount"/> − 1 threads.</summary>
    /// <param name="workerCount">Threads that work, the caller included.</param>
    /// <param name="yieldsToOthers">Whether the started threads give way to all others of the machine.</param>
    public WorkerPool(int workerCount, bool yieldsToOthers = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        WorkerCount = workerCount;
        _ticket = workerCount;
        _threads = new Thread[workerCount - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(() => Work(yieldsToOthers)) { IsBackground = true, Name = $"compute {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that work, the caller included: also the number of shares of a job.</summary>
    public int WorkerCount { get; }

    /// <summary>Runs every share of the job, share 0 on the calling thread, and returns when all are done.</summary>
    /// <remarks>What a share throws is thrown here, the first of several; the pool stays usable.</remarks>
    /// <exception cref="ObjectDisposedException">The pool was disposed.</exception>
    public void Run<TJob>(ref TJob job)
        where TJob : struct, IParallelJob, allows ref struct
    {
        lock (_caller)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (WorkerCount == 1)
            {
                job.Run(0, 1);
                return;
            }

            // A local, because the other threads reach it by address: the stack does not move, the heap may.
            TJob shared = job;
            _job = Unsafe.AsPointer(ref shared);
            _entry = &Enter<TJob>;
            _unfinished = WorkerCount;
            Interlocked.Exchange(ref _ticket, (((_ticket >> 32) + 1) << 32) | 1);
            if (_parked != 0)
            {
                lock (_gate)
                {
                    Monitor.PulseAll(_gate);
                }
            }

            RunShare(0);
            while (TryRunNextShare())
            {
            }

            for (int spins = 1; _unfinished != 0; spins++)
            {
                Pause(spins);
            }

            job = shared;
            if (Interlocked.Exchange(ref _failure, null) is { } failure)
            {
                failure.Throw();
            }
        }
    }

    /// <summary>Ends and joins the threads.</summary>
    public void Dispose()
    {
        lock (_caller)
        {
            _stopping = true;
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private static void Enter<TJob>(void* job, int worker, int workerCount)
        where TJob : struct, IParallelJob, allows ref struct => Unsafe.AsRef<TJob>(job).Run(worker, workerCount);

    // The thread waited for may need this very core, so every so often give it away.
    private static void Pause(int spins)
    {
        if (spins % SpinsPerYield == 0)
        {
            Thread.Yield();
        }
        else
        {
            Thread.SpinWait(1);
        }
    }

    private void Work(bool yieldsToOthers)
    {
        if (yieldsToOthers)
        {
            BackgroundThread.YieldToOthers();
        }

        while (Await())
        {
            TryRunNextShare();
        }
    }

    private bool HasShare => (int)Volatile.Read(ref _ticket) < WorkerCount;

    // Whoever moves the ticket on owns the share, and the job cannot end before that share does.
    private bool TryRunNextShare()
    {
        long ticket = Volatile.Read(ref _ticket);
        while ((int)ticket < WorkerCount)
        {
            long seen = Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket);
            if (seen == ticket)
            {
                RunShare((int)ticket);
                return true;
            }

            ticket = seen;
        }

        return false;
    }

    private void RunShare(int share)
    {
        try
        {
            _entry(_job, share, WorkerCount);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
        }

        Interlocked.Decrement(ref _unfinished);
    }

    // True when there is a share to begin; false when the pool ends.
    private bool Await()
    {
        for (int spins = 1; spins < SpinsBeforeParking && !_stopping; spins++)
        {
            if (HasShare)
            {
                return true;
            }

            Pause(spins);
        }

        lock (_gate)
        {
            // Both sides write, then read, with a full fence between: this thread sees the share or the caller sees it parked.
            Interlocked.Increment(ref _parked);
            while (!HasShare && !_stopping)
            {
                Monitor.Wait(_gate);
            }

            Interlocked.Decrement(ref _parked);
        }

        return !_stopping;
    }
}
