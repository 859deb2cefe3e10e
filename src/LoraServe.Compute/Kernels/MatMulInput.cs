using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>Activation rows [T, inputs] together with the integer forms that the matrices about to read them need.</summary>
public readonly unsafe struct MatMulInput
{
    // Below this many elements a fork-join costs more than it saves.
    private const long ElementsWorthSharing = 1 << 14;

    private readonly ActivationBlock* _besideNibbles;
    private readonly ActivationBlock* _besideBytes;

    private MatMulInput(Rows values, ActivationBlock* besideNibbles, ActivationBlock* besideBytes)
    {
        Values = values;
        _besideNibbles = besideNibbles;
        _besideBytes = besideBytes;
    }

    /// <summary>The rows as float32.</summary>
    public Rows Values { get; }

    /// <summary>Rounds the rows once for all <paramref name="readers"/>; what it makes lives in <paramref name="scratch"/>.</summary>
    /// <exception cref="ArgumentException">A reader does not take rows of this width.</exception>
    public static MatMulInput Prepare(WorkerPool pool, ScratchArena scratch, Rows x, ReadOnlySpan<PackedMatrix> readers)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(scratch);
        bool nibbles = false;
        bool bytes = false;
        foreach (PackedMatrix reader in readers)
        {
            if (reader.Inputs != x.Width)
            {
                throw new ArgumentException($"a matrix with {reader.Inputs} inputs cannot read rows of width {x.Width}", nameof(readers));
            }

            nibbles |= reader.ReadsIntegers && !reader.Layout.Codes.HasBytes;
            bytes |= reader.ReadsIntegers && reader.Layout.Codes.HasBytes;
        }

        long byteLength = (long)x.Count * (x.Width / PanelLayout.GroupInputs) * sizeof(ActivationBlock);
        var input = new MatMulInput(
            x, nibbles ? (ActivationBlock*)scratch.RentBytes(byteLength) : null, bytes ? (ActivationBlock*)scratch.RentBytes(byteLength) : null);
        if (nibbles || bytes)
        {
            var job = new RoundingJob(input);
            if (x.Count > 1 && (long)x.Count * x.Width >= ElementsWorthSharing)
            {
                pool.Run(ref job);
            }
            else
            {
                job.Run(0, 1);
            }
        }

        return input;
    }

    /// <summary>The rounded rows that go with the codes of <paramref name="m"/>.</summary>
    internal ActivationBlock* Blocks(PackedMatrix m)
    {
        ActivationBlock* blocks = m.Layout.Codes.HasBytes ? _besideBytes : _besideNibbles;
        return blocks is not null ? blocks : throw new InvalidOperationException("the rows were not prepared for a matrix of this kind");
    }

    private readonly struct RoundingJob(MatMulInput input) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            Rows x = input.Values;
            int first = (int)((long)x.Count * worker / workerCount);
            int end = (int)((long)x.Count * (worker + 1) / workerCount);
            long block = (long)first * (x.Width / PanelLayout.GroupInputs);
            if (input._besideNibbles is not null)
            {
                ActivationRounding.Round(x.Slice(first, end - first), ActivationRounding.LimitBesideNibbles, input._besideNibbles + block);
            }

            if (input._besideBytes is not null)
            {
                ActivationRounding.Round(x.Slice(first, end - first), ActivationRounding.LimitBesideBytes, input._besideBytes + block);
            }
        }
    }
}
