using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Where finished tiles go: columns [First, End) of rows, written or added with a factor.</summary>
/// <param name="Rows">Result rows; a column is an output of the matrix.</param>
/// <param name="First">First column that is wanted.</param>
/// <param name="End">Column after the last that is wanted.</param>
/// <param name="Adds">Whether tiles are added, times <paramref name="Scale"/>, instead of written.</param>
/// <param name="Scale">The factor of what is added.</param>
internal readonly record struct TileTarget(Rows Rows, int First, int End, bool Adds = false, float Scale = 1);
