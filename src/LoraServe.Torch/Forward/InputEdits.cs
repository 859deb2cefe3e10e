using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>What adapters do to the input of a linear map.</summary>
internal static class InputEdits
{
    /// <summary>The input that the base's product sees.</summary>
    /// <param name="edit">The adapter's edit of the map.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="x">[T, inputs]; not changed.</param>
    /// <param name="type">What is computed in.</param>
    public static Tensor Apply(LinearEdit edit, float weight, Tensor x, ScalarType type)
    {
        if (edit.InputGain is { } gain)
        {
            x = x.Plus(x.mul(gain.to(type)), weight);
        }

        if (edit.Rotation.Count == 0)
        {
            return x;
        }

        Tensor rotated = x;
        foreach (RotationFactor factor in edit.Rotation)
        {
            rotated = rotated.Plus(BlockRotations.Change(factor, rotated, type));
        }

        return weight == 1 ? rotated : x.Plus(rotated.sub(x), weight);
    }
}
