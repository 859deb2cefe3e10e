using System.Runtime.InteropServices;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>What bottleneck adapters of a batch add to the residual stream after a sublayer.</summary>
/// <remarks>
/// The formula is that of <see cref="BottleneckEdit"/>. Adapters of a stack all read what the base's sublayer made, not each
/// other's results. One thread plans; workers share the rest. Reused from one sublayer to the next without allocating.
/// </remarks>
internal sealed unsafe class BottleneckEdits
{
    // Rows that go through a pair of matrices at a time: enough to reuse them from the cache, few enough for all workers to get some.
    private const int RowsAtATime = 16;

    private readonly List<PlaceRun> _runs = [];
    private readonly List<RunTask> _tasks = [];
    private Rows _sublayer;
    private Rows _residual;
    private long _operations;
    private int _nextTask;

    /// <summary>Whether any run adds something after a sublayer.</summary>
    /// <param name="site">The sublayer's last linear map.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    public static bool Any(Site site, ReadOnlySpan<EditRun> runs)
    {
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(site.Layer, site.PlaceAfter) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a sublayer's result, and what runs make of it, to the residual stream.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="scratch">Where what is needed meanwhile goes.</param>
    /// <param name="site">The sublayer's last linear map.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    /// <param name="sublayer">The sublayer's result, [T, D].</param>
    /// <param name="residual">The residual stream before the sublayer, [T, D]; becomes the one after it.</param>
    public void Run(WorkerPool pool, ScratchArena scratch, Site site, ReadOnlySpan<EditRun> runs, Rows sublayer, Rows residual)
    {
        (_sublayer, _residual) = (sublayer, residual);
        _runs.Clear();
        _tasks.Clear();
        _operations = 0;
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(site.Layer, site.PlaceAfter) is not { } edit)
            {
                continue;
            }

            _operations += 2L * edit.Down.Outputs * edit.Down.Inputs * Math.Max(run.RowCount, 4); // a lone row reads the matrices too
            _runs.Add(new PlaceRun(
                run,
                edit,
                edit.Input == BottleneckInput.Sum ? scratch.Rent(run.RowCount, sublayer.Width) : default,
                scratch.Rent(run.RowCount, edit.Down.Outputs),
                scratch.Rent(run.RowCount, sublayer.Width)));
            for (int first = 0; first < run.RowCount; first += RowsAtATime)
            {
                _tasks.Add(new RunTask(_runs.Count - 1, first, Math.Min(RowsAtATime, run.RowCount - first)));
            }
        }

        _nextTask = 0;
        var job = new Job(this);
        if (_operations < RowLoop.WorthSharing)
        {
            job.Run(0, 1);
        }
        else
        {
            pool.Run(ref job);
        }

        RowLoop.Run(pool, residual.Count, (long)residual.Count * residual.Width, new SumKernel(this));
    }

    /// <summary>f of one adapter for some rows.</summary>
    /// <param name="edit">The adapter's edit.</param>
    /// <param name="sublayer">The sublayer's result, [rows, D].</param>
    /// <param name="residual">The residual stream before it, [rows, D].</param>
    /// <param name="sum">Gets what <see cref="BottleneckInput.Sum"/> reads, [rows, D]; not used otherwise.</param>
    /// <param name="inner">Gets what goes up, [rows, bottleneck].</param>
    /// <param name="f">Gets the result, [rows, D].</param>
    private static void Compute(BottleneckEdit edit, Rows sublayer, Rows residual, Rows sum, Rows inner, Rows f)
    {
        int width = f.Width;
        for (int t = 0; t < sum.Count; t++)
        {
            residual.Span(t).CopyTo(sum.Span(t));
            RowArithmetic.Add(sublayer[t], sum[t], width);
        }

        MatMul.RunSerial(edit.Down, edit.Input switch { BottleneckInput.Sublayer => sublayer, BottleneckInput.Residual => residual, _ => sum }, inner);
        for (int t = 0; t < inner.Count; t++)
        {
            RowArithmetic.Add((float*)edit.DownBias, inner[t], inner.Width);
        }

        Activations.Run(edit.Activation, inner);
        MatMul.RunSerial(edit.Up, inner, f);
        for (int t = 0; t < f.Count; t++)
        {
            RowArithmetic.Add((float*)edit.UpBias, f[t], width);
            RowArithmetic.Multiply((float*)edit.Scale, f[t], width);
            if (edit.NormGain != 0)
            {
                Norm(edit, sublayer[t], f.Span(t));
            }
        }
    }

    private static void Norm(BottleneckEdit edit, float* sublayer, Span<float> f)
    {
        double sum = 0;
        for (int i = 0; i < f.Length; i++)
        {
            f[i] += edit.NormCoversSublayer ? sublayer[i] : 0;
            sum += f[i];
        }

        double mean = sum / f.Length;
        double squares = 0;
        foreach (float value in f)
        {
            squares += (value - mean) * (value - mean);
        }

        double factor = 1 / Math.Sqrt((squares / f.Length) + BottleneckEdit.NormEpsilon);
        for (int i = 0; i < f.Length; i++)
        {
            float normed = ((float)((f[i] - mean) * factor) * ((float*)edit.NormGain)[i]) + ((float*)edit.NormBias)[i];
            f[i] = normed - (edit.NormCoversSublayer ? sublayer[i] : 0);
        }
    }

    private void RunTasks()
    {
        ReadOnlySpan<RunTask> tasks = CollectionsMarshal.AsSpan(_tasks);
        for (int i = Interlocked.Increment(ref _nextTask) - 1; i < tasks.Length; i = Interlocked.Increment(ref _nextTask) - 1)
        {
            (int index, int first, int count) = tasks[i];
            PlaceRun run = _runs[index];
            int row = run.Run.FirstRow + first;
            Compute(
                run.Edit, _sublayer.Slice(row, count), _residual.Slice(row, count),
                run.Sum.Count > 0 ? run.Sum.Slice(first, count) : default, run.Inner.Slice(first, count), run.F.Slice(first, count));
        }
    }

    private readonly record struct PlaceRun(EditRun Run, BottleneckEdit Edit, Rows Sum, Rows Inner, Rows F);

    private readonly record struct RunTask(int Run, int FirstRow, int RowCount);

    private readonly struct Job(BottleneckEdits edits) : IParallelJob
    {
        public void Run(int worker, int workerCount) => edits.RunTasks();
    }

    private readonly struct SumKernel(BottleneckEdits edits) : IRowKernel
    {
        public void Run(int first, int end)
        {
            Rows residual = edits._residual;
            for (int t = first; t < end; t++)
            {
                RowArithmetic.Add(edits._sublayer[t], residual[t], residual.Width);
                foreach (ref readonly PlaceRun run in CollectionsMarshal.AsSpan(edits._runs))
                {
                    if (run.Run.FirstRow <= t && t < run.Run.EndRow)
                    {
                        RowArithmetic.AddScaled(run.F[t - run.Run.FirstRow], run.Run.Weight, residual[t], residual.Width);
                    }
                }
            }
        }
    }
}
