using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A tensor type of GGUF: its name, its block, and the element type here, or null where it cannot be computed with.</summary>
internal sealed record GgufTensorType(uint Id, string Name, int BlockElements, int BlockBytes, ElementType? ElementType)
{
    /// <summary>Every type that the format defines today (ggml.h, enum ggml_type); numbers that are missing were removed from it.</summary>
    private static readonly GgufTensorType?[] s_types = ById(
        new(0, "F32", 1, 4, Tensors.ElementType.F32),
        new(1, "F16", 1, 2, Tensors.ElementType.F16),
        new(2, "Q4_0", 32, 18, Tensors.ElementType.Q4_0),
        new(3, "Q4_1", 32, 20, Tensors.ElementType.Q4_1),
        new(6, "Q5_0", 32, 22, null),
        new(7, "Q5_1", 32, 24, null),
        new(8, "Q8_0", 32, 34, Tensors.ElementType.Q8_0),
        new(9, "Q8_1", 32, 36, null),
        new(10, "Q2_K", 256, 84, null),
        new(11, "Q3_K", 256, 110, null),
        new(12, "Q4_K", 256, 144, null),
        new(13, "Q5_K", 256, 176, null),
        new(14, "Q6_K", 256, 210, null),
        new(15, "Q8_K", 256, 292, null),
        new(16, "IQ2_XXS", 256, 66, null),
        new(17, "IQ2_XS", 256, 74, null),
        new(18, "IQ3_XXS", 256, 98, null),
        new(19, "IQ1_S", 256, 50, null),
        new(20, "IQ4_NL", 32, 18, null),
        new(21, "IQ3_S", 256, 110, null),
        new(22, "IQ2_S", 256, 82, null),
        new(23, "IQ4_XS", 256, 136, null),
        new(24, "I8", 1, 1, Tensors.ElementType.I8),
        new(25, "I16", 1, 2, Tensors.ElementType.I16),
        new(26, "I32", 1, 4, Tensors.ElementType.I32),
        new(27, "I64", 1, 8, Tensors.ElementType.I64),
        new(28, "F64", 1, 8, Tensors.ElementType.F64),
        new(29, "IQ1_M", 256, 56, null),
        new(30, "BF16", 1, 2, Tensors.ElementType.BF16),
        new(34, "TQ1_0", 256, 54, null),
        new(35, "TQ2_0", 256, 66, null),
        new(39, "MXFP4", 32, 17, null));

    /// <summary>The names of the types that can be computed with, for messages.</summary>
    public static string Supported => string.Join(", ", s_types.Where(type => type?.ElementType is not null).Select(type => type!.Name));

    /// <summary>The type with number <paramref name="id"/>, or null where the format has none.</summary>
    public static GgufTensorType? Find(uint id) => id < s_types.Length ? s_types[id] : null;

    private static GgufTensorType?[] ById(params ReadOnlySpan<GgufTensorType> types)
    {
        var byId = new GgufTensorType?[types[^1].Id + 1];
        foreach (GgufTensorType type in types)
        {
            byId[type.Id] = type;
        }

        return byId;
    }
}
