using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>What a batch's queries read from adapters' own keys and values, and the way back.</summary>
/// <remarks>Runs come one after another, so that those of a stack add up in its order. Going forth workers share rows, going back heads, which share nothing.</remarks>
internal sealed unsafe class PromptEdits(TransformerSpec spec, WorkerPool pool)
{
    private readonly int _group = spec.QueryHeads / spec.KeyValueHeads;
    private readonly float _scale = 1 / MathF.Sqrt(spec.HeadSize);

    private int KeyValueHeads => spec.KeyValueHeads;

    /// <summary>Whether any run adds something.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="place">Where.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    public static bool Any(int layer, PromptPlace place, ReadOnlySpan<EditRun> runs)
    {
        foreach (EditRun run in runs)
        {
            if (At(run, layer, place) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds what is read.</summary>
    /// <param name="scratch">Where what is needed meanwhile goes.</param>
    /// <param name="queries">[T, H·K], as attention reads them.</param>
    /// <param name="target">[T, H·K], added to.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="place">Which of the adapters' edits.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    public void Run(ScratchArena scratch, Rows queries, Rows target, int layer, PromptPlace place, ReadOnlySpan<EditRun> runs)
    {
        foreach (EditRun run in runs)
        {
            if (At(run, layer, place) is { } edit)
            {
                long mark = scratch.Mark();
                Rows parts = scratch.Rent(pool.WorkerCount, CrossAttention.FloatsNeeded(edit.Keys.Count));
                Start(run, edit, new ForwardJob(this, edit, run.Weight, Part(queries, run), Part(target, run), parts));
                scratch.Release(mark);
            }
        }
    }

    /// <summary>Takes the derivative by what was added to back to queries and to the adapters that are trained.</summary>
    /// <param name="scratch">Where what is needed meanwhile goes.</param>
    /// <param name="queries">As going forth.</param>
    /// <param name="dTarget">Derivative by what was added to, [T, H·K].</param>
    /// <param name="dQueries">Derivative by queries, [T, H·K], added to; no rows where it is not wanted.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="place">Which of the adapters' edits.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public void Backward(
        ScratchArena scratch,
        Rows queries,
        Rows dTarget,
        Rows dQueries,
        int layer,
        PromptPlace place,
        ReadOnlySpan<EditRun> runs,
        IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        foreach (EditRun run in runs)
        {
            if (At(run, layer, place) is { } edit)
            {
                KeyValueGradient? gradient = trained.TryGetValue(run.Adapter, out EditGradients? gradients) ? gradients.PromptAt(layer) : null;
                long mark = scratch.Mark();
                Rows parts = scratch.Rent(pool.WorkerCount, 2 * CrossAttention.FloatsNeeded(edit.Keys.Count));
                (Rows dKeys, Rows dValues) = gradient is null ? default : (gradient.Keys.Rows, gradient.Values.Rows);
                Start(run, edit, new BackwardJob(this, edit, run.Weight, Part(queries, run), Part(dTarget, run), Part(dQueries, run), dKeys, dValues, parts));
                scratch.Release(mark);
            }
        }
    }

    private static PromptEdit? At(EditRun run, int layer, PromptPlace place) => run.Edits.PromptAt(layer) is { } edit && edit.Place == place ? edit : null;

    private static Rows Part(Rows rows, EditRun run) => rows.Count > 0 ? rows.Slice(run.FirstRow, run.RowCount) : rows;

    private void Start<TJob>(EditRun run, PromptEdit edit, TJob job)
        where TJob : struct, IParallelJob
    {
        if (2L * run.RowCount * edit.Keys.Count * edit.Keys.Width * _group < RowLoop.WorthSharing)
        {
            job.Run(0, 1);
        }
        else
        {
            pool.Run(ref job);
        }
    }

    private Rows Head(Rows rows, int head) => rows.Columns(head * spec.HeadSize, spec.HeadSize);

    private readonly struct ForwardJob(PromptEdits edits, PromptEdit edit, float weight, Rows queries, Rows target, Rows parts) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            int first = (int)((long)queries.Count * worker / workerCount);
            int end = (int)((long)queries.Count * (worker + 1) / workerCount);
            for (int head = 0; head < edits._group * edits.KeyValueHeads; head++)
            {
                (Rows q, Rows y) = (edits.Head(queries, head), edits.Head(target, head));
                (Rows k, Rows v) = (edits.Head(edit.Keys, head / edits._group), edits.Head(edit.Values, head / edits._group));
                for (int t = first; t < end; t++)
                {
                    CrossAttention.Run(q[t], k, v, edits._scale, weight, parts[worker], y[t]);
                }
            }
        }
    }

    private readonly struct BackwardJob(
        PromptEdits edits, PromptEdit edit, float weight, Rows queries, Rows dTarget, Rows dQueries, Rows dKeys, Rows dValues, Rows parts) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            for (int shared = worker; shared < edits.KeyValueHeads; shared += workerCount)
            {
                (Rows k, Rows v) = (edits.Head(edit.Keys, shared), edits.Head(edit.Values, shared));
                (Rows dK, Rows dV) = (edits.Head(dKeys, shared), edits.Head(dValues, shared));
                for (int t = 0; t < queries.Count; t++)
                {
                    for (int head = shared * edits._group; head < (shared + 1) * edits._group; head++)
                    {
                        float* dQ = dQueries.Count > 0 ? edits.Head(dQueries, head)[t] : null;
                        CrossAttention.Backward(edits.Head(queries, head)[t], k, v, edits._scale, weight, edits.Head(dTarget, head)[t], parts[worker], dQ, dK, dV);
                    }
                }
            }
        }
    }
}
