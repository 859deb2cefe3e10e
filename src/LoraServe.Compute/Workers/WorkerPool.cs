using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace LoraServe.Compute.Workers;

/// <summary>A fixed set of threads that run one job together: the caller is worker 0, the others spin briefly for work and then park.</summary>
/// <remarks>One thread at a time may call <see cref="Run"/>; it allocates nothing. Jobs must not call <see cref="Run"/> on the same pool.</remarks>
public sealed unsafe class WorkerPool : IDisposable
{
    // About 50 µs of spinning before a worker parks: longer than any gap inside a step, shorter than anyone's patience for a warm idle CPU.
    private const int SpinsBeforeParking = 1500;
    private const int SpinsPerYield = 64;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private readonly Lock _caller = new();
    private volatile int _generation;
    private volatile int _running;
    private volatile int _parked;
    private volatile bool _stopping;
    private delegate*<void*, int, int, void> _entry;
    private void* _job;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts <paramref name="workerCount"/> − 1 threads.</summary>
    public WorkerPool(int workerCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        WorkerCount = workerCount;
        _threads = new Thread[workerCount - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"compute {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Workers, the caller included.</summary>
    public int WorkerCount { get; }

    /// <summary>Runs the job on every worker and returns when all are done.</summary>
    /// <remarks>What a job throws is thrown here, the first of several; the pool stays usable.</remarks>
    public void Run<TJob>(ref TJob job)
        where TJob : struct, IParallelJob, allows ref struct
    {
        if (WorkerCount == 1)
        {
            job.Run(0, 1);
            return;
        }

        lock (_caller)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);

            // A local, because the other threads reach it by address: the stack does not move, the heap may.
            TJob shared = job;
            _job = Unsafe.AsPointer(ref shared);
            _entry = &Enter<TJob>;
            _running = _threads.Length;
            Interlocked.Increment(ref _generation);
            if (_parked != 0)
            {
                lock (_gate)
                {
                    Monitor.PulseAll(_gate);
                }
            }

            try
            {
                shared.Run(0, WorkerCount);
            }
            catch (Exception e)
            {
                Fail(e);
            }

            for (int spins = 1; _running != 0; spins++)
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

    // A descheduled partner may be waiting for this very core, so every so often give it away.
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

    private void Work(int worker)
    {
        int seen = 0;
        while (Await(seen))
        {
            seen = _generation;
            try
            {
                _entry(_job, worker, WorkerCount);
            }
            catch (Exception e)
            {
                Fail(e);
            }

            Interlocked.Decrement(ref _running);
        }
    }

    // True when there is a job newer than the one seen; false when the pool ends.
    private bool Await(int seen)
    {
        for (int spins = 1; spins < SpinsBeforeParking; spins++)
        {
            if (_generation != seen)
            {
                return true;
            }

            if (_stopping)
            {
                return false;
            }

            Pause(spins);
        }

        lock (_gate)
        {
            // Full fences on both sides: either this thread sees the new generation, or the caller sees it parked.
            Interlocked.Increment(ref _parked);
            while (_generation == seen && !_stopping)
            {
                Monitor.Wait(_gate);
            }

            Interlocked.Decrement(ref _parked);
        }

        return _generation != seen;
    }

    private void Fail(Exception e) => Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
}
