namespace LoraServe.Compute.Tensors;

/// <summary>Takes one group of <see cref="CodeForm.GroupElements"/> out of a stored block.</summary>
/// <param name="block">A whole block.</param>
/// <param name="group">Which group of it, from 0.</param>
/// <param name="codes">Gets the group's codes in order, one a byte, counted from zero.</param>
/// <param name="scale">What the codes are multiplied by.</param>
/// <param name="minimum">What is added to the products; 0 where the form has no minimum.</param>
internal delegate void GroupReader(ReadOnlySpan<byte> block, int group, Span<byte> codes, out float scale, out float minimum);
