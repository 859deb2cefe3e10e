using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back through a norm and the adapters' edits of its gains.</summary>
internal sealed unsafe class NormBackward(TransformerSpec spec, WorkerPool pool, ScratchArena scratch)
{
    /// <summary>Takes the derivative by a norm's result back to its input and to the adapters' edits.</summary>
    /// <param name="x">Its input, [T, D].</param>
    /// <param name="gains">The base's gains, then its biases.</param>
    /// <param name="site">The norm.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    /// <param name="dy">Derivative by its result, [T, D].</param>
    /// <param name="dx">Derivative by its input, added to.</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public void Run(
        Rows x, NativeBuffer gains, NormSite site, ReadOnlySpan<EditRun> runs, Rows dy, Rows dx, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        float* baseGains = (float*)gains.Pointer;
        int width = spec.NormWidth(site.Role);
        int next = 0;
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(site) is not { } edit)
            {
                continue;
            }

            Unedited(x, baseGains, width, dy, dx, next, run.FirstRow - next);
            next = run.EndRow;

            long mark = scratch.Mark();
            Rows edited = scratch.Rent(1, spec.CentresNorms ? 2 * width : width);
            new ReadOnlySpan<float>(baseGains, edited.Width).CopyTo(edited.Span(0));
            edit.Apply(run.Weight, edited.Span(0));
            float* dGains = trained.TryGetValue(run.Adapter, out EditGradients? gradients) ? gradients.At(site)!.Parameters.Pointer : null;
            RowNorm.Backward(
                spec, x.Slice(run.FirstRow, run.RowCount), edited[0], width, dy.Slice(run.FirstRow, run.RowCount), dx.Slice(run.FirstRow, run.RowCount), dGains);
            scratch.Release(mark);
        }

        Unedited(x, baseGains, width, dy, dx, next, x.Count - next);
    }

    private void Unedited(Rows x, float* gains, int width, Rows dy, Rows dx, int first, int count)
    {
        if (count > 0)
        {
            RowLoop.Run(
                pool, count, (long)count * x.Width * 4,
                new Kernel(spec, x.Slice(first, count), gains, width, dy.Slice(first, count), dx.Slice(first, count)));
        }
    }

    private readonly struct Kernel(TransformerSpec spec, Rows x, float* gains, int width, Rows dy, Rows dx) : IRowKernel
    {
        public void Run(int first, int end)
        {
            int count = end - first;
            RowNorm.Backward(spec, x.Slice(first, count), gains, width, dy.Slice(first, count), dx.Slice(first, count), null);
        }
    }
}
