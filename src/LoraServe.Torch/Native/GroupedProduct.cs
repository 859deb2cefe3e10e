namespace LoraServe.Torch.Native;

/// <summary>Products of groups of rows, each with a matrix of its own, in one call: what libtorch has and TorchSharp does not name.</summary>
internal static class GroupedProduct
{
    // What libtorch does not know in such a text ends the process, so it is only compiled where the library has the operation.
    private const string Operation = "_ZN2at4_ops11_grouped_mm4callERKNS_6TensorES4_RKSt8optionalIS2_ES8_S5_IN3c1010ScalarTypeEE";
    private const int Hopper = 9;
    private const string Text = "def grouped(x, matrices, ends):\n    return torch._grouped_mm(x, matrices, ends)\n";

    private static readonly Lazy<torch.jit.CompilationUnit?> s_unit = new(() => LibTorch.Has(Operation) ? torch.jit.compile(Text) : null);

    /// <summary>Whether this libtorch has it, and the device runs it as one launch: older GPUs fall back to a product a group, and wait for each.</summary>
    public static bool IsOn(torch.Device device, ScalarType type) =>
        s_unit.Value is not null && (device.type != DeviceType.CUDA || (type == ScalarType.BFloat16 && CudaDriver.ComputeCapability(device.index).Major >= Hopper));

    /// <summary>Each group's rows times its matrix.</summary>
    /// <param name="x">[T, inputs], rows of a group beside each other, groups in order.</param>
    /// <param name="matrices">[G, inputs, outputs]; no row or no column is shorter than 16 bytes, or a multiple of them away from the next.</param>
    /// <param name="ends">For each group the row after its last, int32 [G]; groups can be empty, and then are not read.</param>
    /// <returns>[T, outputs].</returns>
    public static Tensor Of(Tensor x, Tensor matrices, Tensor ends) => s_unit.Value!.invoke<Tensor>("grouped", x, matrices, ends);
}
