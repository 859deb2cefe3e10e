using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>Runs linear maps of the same input together: one preparation of the input, one fork and join for all products.</summary>
/// <remarks>
/// Only a map whose input some adapter changes is run by itself, on a changed copy, and rows for which an adapter replaces a map
/// are run apart from the others. Adapters' edits, biases and the residual sum are applied to finished columns by the worker
/// that has just computed them.
/// </remarks>
internal sealed class LinearGroup
{
    private const int MostMaps = 3;
    private readonly LinearWeights[] _maps = new LinearWeights[MostMaps];
    private readonly Rows[] _outputs = new Rows[MostMaps];
    private readonly int[] _together = new int[MostMaps];
    private readonly PackedMatrix[] _matrices = new PackedMatrix[MostMaps];
    private readonly Rows[] _products = new Rows[MostMaps];
    private readonly LinearEdit?[] _replacements = new LinearEdit?[MostMaps];
    private readonly LinearEdits _edits = new();
    private readonly RowGroup _part = new();
    private Rows _residual;

    /// <summary>Computes the maps of x.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="scratch">Where what is needed meanwhile goes.</param>
    /// <param name="x">[T, inputs].</param>
    /// <param name="rows">The adapters that act on the rows.</param>
    /// <param name="maps">The maps.</param>
    /// <param name="outputs">For each map [T, outputs].</param>
    /// <param name="residual">Rows that the results are added to; default for none.</param>
    public void Run(WorkerPool pool, ScratchArena scratch, Rows x, RowGroup rows, ReadOnlySpan<LinearWeights> maps, ReadOnlySpan<Rows> outputs, Rows residual)
    {
        Span<Rows> partOutputs = stackalloc Rows[outputs.Length];
        int first = 0;
        do
        {
            int end = x.Count;
            for (int map = 0; map < maps.Length; map++)
            {
                _replacements[map] = ReplacedWeights.At(rows.Runs, maps[map].Site, first, ref end);
            }

            int count = end - first;
            if (count == x.Count)
            {
                RunPart(pool, scratch, x, rows, maps, outputs, residual);
                return;
            }

            for (int map = 0; map < maps.Length; map++)
            {
                partOutputs[map] = outputs[map].Slice(first, count);
            }

            _part.CopyRange(rows, first, count);
            RunPart(pool, scratch, x.Slice(first, count), _part, maps, partOutputs, residual.Count > 0 ? residual.Slice(first, count) : default);
            first = end;
        }
        while (first < x.Count);
    }

    /// <summary>Computes the maps of rows that all have the same <see cref="_replacements"/>.</summary>
    private void RunPart(WorkerPool pool, ScratchArena scratch, Rows x, RowGroup rows, ReadOnlySpan<LinearWeights> maps, ReadOnlySpan<Rows> outputs, Rows residual)
    {
        maps.CopyTo(_maps);
        outputs.CopyTo(_outputs);
        _residual = residual;
        long mark = scratch.Mark();
        _edits.Plan(x, maps, rows, scratch);
        _edits.ComputeDown(pool);
        int count = 0;
        for (int map = 0; map < maps.Length; map++)
        {
            if (!_edits.ChangesInput(map))
            {
                _together[count++] = map;
            }
        }

        Multiply(pool, scratch, x, count);
        for (int map = 0; count < maps.Length && map < maps.Length; map++)
        {
            if (_edits.ChangesInput(map))
            {
                _together[0] = map;
                Multiply(pool, scratch, _edits.ChangedInput(map, pool, scratch), 1);
            }
        }

        scratch.Release(mark);
    }

    /// <summary>Computes the first <paramref name="count"/> maps of <see cref="_together"/>.</summary>
    private void Multiply(WorkerPool pool, ScratchArena scratch, Rows x, int count)
    {
        if (count == 0)
        {
            return;
        }

        for (int i = 0; i < count; i++)
        {
            _matrices[i] = _replacements[_together[i]]?.Replacement ?? _maps[_together[i]].Matrix;
            _products[i] = _outputs[_together[i]];
        }

        var matrices = new ReadOnlySpan<PackedMatrix>(_matrices, 0, count);
        MatMulInput input = MatMulInput.Prepare(pool, scratch, x, matrices);
        var epilogue = new Epilogue(this);
        MatMul.Run(pool, input, matrices, new ReadOnlySpan<Rows>(_products, 0, count), ref epilogue);
    }

    private unsafe void Finish(int part, int firstColumn, int columnCount)
    {
        Rows y = _outputs[part];
        _edits.ApplyToProduct(part, y, firstColumn, columnCount);
        nint bias = _replacements[part] is { } replacement ? replacement.ReplacedBias : (nint)(_maps[part].Bias is { } own ? own.Pointer : null);
        for (int t = 0; bias != 0 && t < y.Count; t++)
        {
            RowArithmetic.Add((float*)bias + firstColumn, y[t] + firstColumn, columnCount);
        }

        _edits.AddBiases(part, y, firstColumn, columnCount);
        for (int t = 0; t < _residual.Count; t++)
        {
            RowArithmetic.Add(y[t] + firstColumn, _residual[t] + firstColumn, columnCount);
        }
    }

    private readonly struct Epilogue(LinearGroup group) : IMatMulEpilogue
    {
        public void Apply(int part, int firstColumn, int columnCount) => group.Finish(group._together[part], firstColumn, columnCount);
    }
}
