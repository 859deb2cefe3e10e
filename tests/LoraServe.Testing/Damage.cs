using FsCheck;
using FsCheck.Fluent;

namespace LoraServe.Testing;

/// <summary>Random damage to a valid file: some bytes set, sometimes the end cut off.</summary>
public static class Damage
{
    /// <summary>Damaged copies of <paramref name="valid"/>, most of them damaged near the front, where headers are.</summary>
    public static Gen<byte[]> Of(byte[] valid) =>
        from count in Gen.Choose(1, 4)
        from front in Gen.Elements(64, 512, valid.Length)
        from places in Gen.ArrayOf(Gen.Choose(0, Math.Min(front, valid.Length) - 1), count)
        from values in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0, 255), Gen.Elements(0, 1, 127, 128, 255)), count)
        from length in Gen.Frequency((4, Gen.Constant(valid.Length)), (1, Gen.Choose(0, valid.Length)))
        select Apply(valid, places, values, length);

    private static byte[] Apply(byte[] valid, int[] places, int[] values, int length)
    {
        byte[] damaged = [.. valid];
        for (int i = 0; i < places.Length; i++)
        {
            damaged[places[i]] = (byte)values[i];
        }

        return damaged[..length];
    }
}
