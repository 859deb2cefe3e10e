using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoraServe.Adapters.Gradients;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Backward;

/// <summary>Runs ragged batches forth and back on a device of libtorch, which knows the way back of each operation.</summary>
/// <param name="weights">The frozen base: nothing asks for a derivative by it.</param>
internal sealed class TorchTrainingPass(TorchWeights weights) : ITrainingPass
{
    private const long MostLogitBytes = 256 << 20;
    private readonly TrainingBatch _batch = new();
    private readonly TrainingOps _ops = new(weights);
    private readonly RowGroup _part = new();
    private readonly int _rowsAtATime = (int)Math.Clamp(MostLogitBytes / sizeof(float) / weights.Spec.VocabularySize, 16, 4096);

    /// <inheritdoc />
    public void Run(IReadOnlyList<BatchShare> shares, bool checkpointsActivations = false)
    {
        ArgumentNullException.ThrowIfNull(shares);
        _batch.Build(shares);
        if (_batch.Tokens.RowCount == 0)
        {
            foreach (BatchShare share in shares)
            {
                (share.Losses, share.Hits) = ([], []);
            }

            return;
        }

        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor Leaf, GradientMatrix Gradient)[] leaves =
        [
            .. shares.Where(share => share.Gradients is not null).SelectMany(share => ((TorchAdapter)share.Adapter!).Leaves(share.Gradients!)),
        ];
        using IDisposable gradients = torch.set_grad_enabled(leaves.Length > 0);
        try
        {
            foreach ((Tensor leaf, _) in leaves)
            {
                leaf.requires_grad_();
            }

            // What the way back reads of weights that are widened for each product would be all of them, dense.
            _ops.BeginStep(_batch.Tokens, (checkpointsActivations || weights.AreStored) && leaves.Length > 0, input => AddLosses(input, shares));
            _ops.Run(_batch.Tokens);
            Fetch(leaves);
        }
        catch (ExternalException failure)
        {
            throw TorchFailure.Of(failure);
        }
        finally
        {
            _ops.EndStep();
            foreach ((Tensor leaf, _) in leaves)
            {
                leaf.grad = null;
                leaf.requires_grad_(false);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _ops.Dispose();

    /// <summary>Adds the leaves' derivatives to where they go, in one transfer.</summary>
    private static void Fetch((Tensor Leaf, GradientMatrix Gradient)[] leaves)
    {
        (Tensor Derivative, GradientMatrix Gradient)[] found = [.. leaves.Where(pair => pair.Leaf.grad is not null).Select(pair => (pair.Leaf.grad!.flatten(), pair.Gradient))];
        if (found.Length == 0)
        {
            return;
        }

        using IDisposable noGrad = torch.no_grad();
        Tensor here = torch.cat([.. found.Select(pair => pair.Derivative)]).to(ScalarType.Float32).cpu();
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(here.bytes);
        foreach ((_, GradientMatrix gradient) in found)
        {
            TensorPrimitives.Add(gradient.Values, values[..gradient.Values.Length], gradient.Values);
            values = values[gradient.Values.Length..];
        }
    }

    private void AddLosses(Tensor input, IReadOnlyList<BatchShare> shares)
    {
        // The way back is cut here, so that a part's logits can go before the next part's are made.
        Tensor head = input.requires_grad ? input.detach().requires_grad_() : input;
        _batch.Score(shares, (share, first, targets, coefficients, hits) => Run(head, share, first, targets, coefficients, hits));
        if (head.grad is { } gradient && input.requires_grad)
        {
            input.backward([gradient]);
        }
    }

    /// <summary>The head and the cross entropy of a share's labelled rows, forth and, where there are coefficients, back.</summary>
    private void Run(Tensor head, BatchShare share, int first, int[] targets, float[]? coefficients, bool[] hits)
    {
        for (int done = 0; done < targets.Length; done += _rowsAtATime)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            int count = Math.Min(_rowsAtATime, targets.Length - done);
            using IDisposable gradients = torch.set_grad_enabled(coefficients is not null && torch.is_grad_enabled());
            _part.CopyRange(_batch.Tokens.Logits, first + done, count);
            Tensor logits = _ops.Logits(head.narrow(0, first + done, count), _part).to(ScalarType.Float32);
            Tensor logProbabilities = logits.log_softmax(1);
            Tensor target = torch.tensor(Array.ConvertAll(targets[done..(done + count)], token => (long)token), count, 1, device: weights.Device);
            Tensor losses = logProbabilities.gather(1, target).squeeze(1).Times(share.Smoothing - 1);
            if (share.Smoothing > 0)
            {
                losses = losses.Plus(logProbabilities.mean([1]), -share.Smoothing);
            }

            losses.detach().cpu().data<float>().CopyTo(share.Losses.AsSpan(done, count));
            if (hits.Length > 0)
            {
                logits.argmax(1).eq(target.squeeze(1)).cpu().data<bool>().CopyTo(hits.AsSpan(done, count));
            }

            if (coefficients is not null && losses.requires_grad)
            {
                losses.backward([torch.tensor(coefficients[done..(done + count)], device: weights.Device)]);
            }
        }
    }
}
