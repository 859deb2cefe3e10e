using System.Runtime.InteropServices;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>What the adapters of a batch do to linear maps that share an input: planned, computed down, and applied to finished columns.</summary>
/// <remarks>One thread plans; workers share the rest. Reused from one group of maps to the next without allocating.</remarks>
internal sealed unsafe class LinearEdits
{
    // Rows that go through A at a time: enough to reuse it from the cache, few enough for all workers to get some.
    private const int RowsAtATime = 16;

    private readonly List<SiteRun> _runs = [];
    private readonly List<DownTask> _tasks = [];
    private long _operations;
    private ulong _changedInputs; // a bit for each map, which are few
    private ulong _rotatedOutputs;
    private int _nextTask;
    private Rows _x;
    private RowGroup _rows = new();

    /// <summary>Finds the runs that edit any of the maps and rents what their products take.</summary>
    /// <param name="x">The maps' input, [T, inputs].</param>
    /// <param name="maps">The maps.</param>
    /// <param name="rows">The adapters that act on the rows.</param>
    /// <param name="scratch">Where A·x and products apart from the base's go.</param>
    public void Plan(Rows x, ReadOnlySpan<LinearWeights> maps, RowGroup rows, ScratchArena scratch)
    {
        _rows = rows;
        _runs.Clear();
        _tasks.Clear();
        _operations = 0;
        (_changedInputs, _rotatedOutputs) = (0, 0);
        _x = x;
        for (int part = 0; part < maps.Length; part++)
        {
            foreach (EditRun run in rows.Runs)
            {
                if (run.Edits.At(maps[part].Site) is not { } edit)
                {
                    continue;
                }

                Rows down = Rent(edit.A, run, scratch);
                Rows product = edit.ProductScale == 0 ? default : scratch.Rent(run.RowCount, maps[part].Matrix.Outputs);
                Rows rowChanges = Rent(edit.RowDeltas, run, scratch);
                Rows spare = edit.RotatesOutput ? scratch.Rent(run.RowCount, RowRotation.SpareBlocks * edit.OutputRotation.Size) : default;
                if (down.Count > 0 || rowChanges.Count > 0)
                {
                    AddTasks(_runs.Count, run.RowCount);
                }

                _changedInputs |= edit.ChangesInput ? 1UL << part : 0;
                _rotatedOutputs |= edit.RotatesOutput ? 1UL << part : 0;
                _runs.Add(new SiteRun(part, run, edit, down, product, rowChanges, spare));
            }
        }
    }

    /// <summary>Whether an adapter changes the input of one map.</summary>
    public bool ChangesInput(int part) => (_changedInputs >> part & 1) != 0;

    /// <summary>Whether an adapter rotates the product of one map, for which all of its columns must be there.</summary>
    public bool RotatesOutput(int part) => (_rotatedOutputs >> part & 1) != 0;

    /// <summary>Multiply-adds, or what takes as long, of finishing all rows of one map.</summary>
    public long Operations(int part, int outputs)
    {
        long operations = (long)_x.Count * outputs;
        foreach (ref readonly SiteRun run in CollectionsMarshal.AsSpan(_runs))
        {
            LinearEdit edit = run.Edit;
            long each = run.Part == part ? edit.OutputRotation.Size + edit.Rank + (edit.Dense is null ? 0 : _x.Width) : 0;
            operations += each * run.Run.RowCount * outputs;
        }

        return operations;
    }

    /// <summary>The input of one map's base matrix where <see cref="ChangesInput"/>: a copy, scaled or rotated in the runs concerned.</summary>
    public Rows ChangedInput(int part, WorkerPool pool, ScratchArena scratch)
    {
        Rows changed = scratch.Rent(_x.Count, _x.Width);
        long operations = 1;
        foreach (ref readonly SiteRun run in CollectionsMarshal.AsSpan(_runs))
        {
            operations = run.Part == part ? Math.Max(operations, RowRotation.Operations(run.Edit)) : operations;
        }

        Rows spare = operations > 1 ? scratch.Rent(_x.Count, RowRotation.SpareWidths * _x.Width) : default;
        RowLoop.Run(pool, _x.Count, operations * _x.Count * _x.Width, new InputKernel(this, part, changed, spare));
        return changed;
    }

    /// <summary>Computes A·x for all runs and maps, with the scales that come before B.</summary>
    public void ComputeDown(WorkerPool pool)
    {
        if (_tasks.Count == 0)
        {
            return;
        }

        _nextTask = 0;
        var job = new DownJob(this);
        if (_operations < RowLoop.WorthSharing)
        {
            job.Run(0, 1);
        }
        else
        {
            pool.Run(ref job);
        }
    }

    /// <summary>Applies the edits of one map to a finished part of its product, before any bias.</summary>
    /// <param name="part">Which map.</param>
    /// <param name="y">Its product, all rows.</param>
    /// <param name="tile">The part: all columns where <see cref="RotatesOutput"/>.</param>
    public void ApplyToProduct(int part, Rows y, Tile tile)
    {
        foreach (ref readonly SiteRun run in CollectionsMarshal.AsSpan(_runs))
        {
            if (run.Part == part && run.Within(tile.FirstRow, tile.EndRow) is { Run.RowCount: > 0 } here)
            {
                ApplyRun(here, y.Slice(here.Run.FirstRow, here.Run.RowCount), tile.FirstColumn, tile.ColumnCount);
            }
        }
    }

    /// <summary>Adds the adapters' summands of one map's outputs to a part of its product.</summary>
    public void AddBiases(int part, Rows y, Tile tile)
    {
        (_, _, int firstColumn, int columnCount) = tile;
        foreach (ref readonly SiteRun run in CollectionsMarshal.AsSpan(_runs))
        {
            if (run.Part == part && run.Edit.Bias != 0)
            {
                for (int t = Math.Max(run.Run.FirstRow, tile.FirstRow); t < Math.Min(run.Run.EndRow, tile.EndRow); t++)
                {
                    RowArithmetic.AddScaled((float*)run.Edit.Bias + firstColumn, run.Run.Weight, y[t] + firstColumn, columnCount);
                }
            }
        }
    }

    private Rows Rent(PackedMatrix? matrix, in EditRun run, ScratchArena scratch)
    {
        if (matrix is null)
        {
            return default;
        }

        // A matrix has to be read even for a single row, which takes as long as multiplying a few.
        _operations += (long)matrix.Outputs * matrix.Inputs * Math.Max(run.RowCount, 4);
        return scratch.Rent(run.RowCount, matrix.Outputs);
    }

    private void AddTasks(int run, int rows)
    {
        for (int first = 0; first < rows; first += RowsAtATime)
        {
            _tasks.Add(new DownTask(run, first, Math.Min(RowsAtATime, rows - first)));
        }
    }

    private void RunTasks()
    {
        ReadOnlySpan<DownTask> tasks = CollectionsMarshal.AsSpan(_tasks);
        for (int i = Interlocked.Increment(ref _nextTask) - 1; i < tasks.Length; i = Interlocked.Increment(ref _nextTask) - 1)
        {
            DownTask task = tasks[i];
            SiteRun run = _runs[task.Run];
            Rows x = _x.Slice(run.Run.FirstRow + task.FirstRow, task.RowCount);
            if (run.Edit.A is { } a)
            {
                Rows down = run.Down.Slice(task.FirstRow, task.RowCount);
                MatMul.RunSerial(a, x, down);
                for (int t = 0; t < down.Count && run.Edit.RankScale != 0; t++)
                {
                    RowArithmetic.Multiply((float*)run.Edit.RankScale, down[t], down.Width);
                }

                for (int t = 0; t < down.Count && run.Edit.RankScalings != 0; t++)
                {
                    ReadOnlySpan<float> scalings = _rows.ScalingsOf(run.Run.FirstRow + task.FirstRow + t);
                    for (int k = 0; k < down.Width; k++)
                    {
                        down[t][k] *= scalings[((int*)run.Edit.RankScalings)[k]];
                    }
                }
            }

            if (run.Edit.RowDeltas is { } rows)
            {
                MatMul.RunSerial(rows, x, run.RowChanges.Slice(task.FirstRow, task.RowCount));
            }
        }
    }

    private void ApplyRun(in SiteRun run, Rows y, int firstColumn, int columnCount)
    {
        LinearEdit edit = run.Edit;
        float weight = run.Run.Weight;
        if (edit.OutputGain != 0)
        {
            for (int t = 0; t < y.Count; t++)
            {
                RowArithmetic.AddProduct((float*)edit.OutputGain + firstColumn, weight, y[t] + firstColumn, columnCount);
            }
        }

        if (edit.RotatesOutput)
        {
            for (int t = 0; t < y.Count; t++)
            {
                RowRotation.ApplyFactor(edit.OutputRotation, weight, y[t], y.Width, run.Spare[t]);
            }
        }

        if (edit.B is { } b)
        {
            if (edit.ProductScale == 0)
            {
                MatMul.AddSerial(b, run.Down, weight * edit.Scale, y, firstColumn, columnCount);
            }
            else
            {
                AddScaledProduct(run, b, y, firstColumn, columnCount);
            }
        }

        if (edit.Dense is { } dense)
        {
            MatMul.AddSerial(dense, _x.Slice(run.Run.FirstRow, run.Run.RowCount), weight, y, firstColumn, columnCount);
        }

        ReadOnlySpan<int> ids = edit.RowIds;
        for (int i = 0; i < ids.Length; i++)
        {
            if (ids[i] >= firstColumn && ids[i] < firstColumn + columnCount)
            {
                for (int t = 0; t < y.Count; t++)
                {
                    y[t][ids[i]] += weight * run.RowChanges[t][i];
                }
            }
        }
    }

    /// <summary>The low-rank part where its outputs are scaled: B is not this adapter's own, so the scale cannot lie in it.</summary>
    private static void AddScaledProduct(in SiteRun run, PackedMatrix b, Rows y, int firstColumn, int columnCount)
    {
        Rows columns = run.Product.Columns(firstColumn, columnCount);
        columns.Clear();
        MatMul.AddSerial(b, run.Down, 1, run.Product, firstColumn, columnCount);
        for (int t = 0; t < columns.Count; t++)
        {
            RowArithmetic.Multiply((float*)run.Edit.ProductScale + firstColumn, columns[t], columnCount);
            RowArithmetic.AddScaled(columns[t], run.Run.Weight * run.Edit.Scale, y[t] + firstColumn, columnCount);
        }
    }

    /// <summary>Rows and columns of a product.</summary>
    internal readonly record struct Tile(int FirstRow, int EndRow, int FirstColumn, int ColumnCount);

    private readonly record struct SiteRun(int Part, EditRun Run, LinearEdit Edit, Rows Down, Rows Product, Rows RowChanges, Rows Spare)
    {
        /// <summary>The part of it that is of some rows of the product.</summary>
        public SiteRun Within(int firstRow, int endRow)
        {
            int first = Math.Max(firstRow, Run.FirstRow);
            int count = Math.Min(endRow, Run.EndRow) - first;
            int skipped = first - Run.FirstRow;
            return count <= 0
                ? this with { Run = Run with { RowCount = 0 } }
                : new SiteRun(Part, Run with { FirstRow = first, RowCount = count }, Edit, Cut(Down), Cut(Product), Cut(RowChanges), Cut(Spare));

            Rows Cut(Rows rows) => rows.Count == 0 ? rows : rows.Slice(skipped, count);
        }
    }

    private readonly record struct DownTask(int Run, int FirstRow, int RowCount);

    private readonly struct InputKernel(LinearEdits edits, int part, Rows changed, Rows spare) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                edits._x.Span(t).CopyTo(changed.Span(t));
                foreach (ref readonly SiteRun run in CollectionsMarshal.AsSpan(edits._runs))
                {
                    if (run.Part != part || t < run.Run.FirstRow || t >= run.Run.EndRow)
                    {
                        continue;
                    }

                    if (run.Edit.InputGain != 0)
                    {
                        RowArithmetic.AddProduct((float*)run.Edit.InputGain, run.Run.Weight, changed[t], changed.Width);
                    }

                    if (!run.Edit.Rotation.IsEmpty)
                    {
                        RowRotation.Apply(run.Edit, run.Run.Weight, changed[t], changed.Width, spare[t]);
                    }
                }
            }
        }
    }

    private readonly struct DownJob(LinearEdits edits) : IParallelJob
    {
        public void Run(int worker, int workerCount) => edits.RunTasks();
    }
}
