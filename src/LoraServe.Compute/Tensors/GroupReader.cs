namespace LoraServe.Compute.Tensors;

/// <summary>Takes one group of <see cref="CodeForm.GroupElements"/> out of a stored block.</summary>
/// <param name="block">A whole block.</param>
/// <param name="group">Which group of it, from 0.</param>
/// <param name="codes">Gets the group's codes in order, one a byte, counted from zero.</param>
/// <returns>What the codes are multiplied by and what is added.</returns>
internal delegate GroupScales GroupReader(ReadOnlySpan<byte> block, int group, Span<byte> codes);
