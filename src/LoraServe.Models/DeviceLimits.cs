namespace LoraServe.Models;

/// <summary>What a device can do at best, measured there: speeds are reported as shares of it.</summary>
/// <param name="Processor">What the device calls itself, such as <c>NVIDIA H200</c>.</param>
/// <param name="InstructionSet">What its products are made of, such as <c>AVX-512</c> or <c>compute capability 9.0</c>.</param>
/// <param name="Type">What <paramref name="OperationsPerSecond"/> is of, such as <c>bfloat16</c>.</param>
/// <param name="ReadBytesPerSecond">Reads of the device's memory that no cache holds.</param>
/// <param name="OperationsPerSecond">Multiply-adds, two operations each.</param>
public sealed record DeviceLimits(string Processor, string InstructionSet, string Type, double ReadBytesPerSecond, double OperationsPerSecond);
