using System.Runtime.Intrinsics;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Tests.Vectors;

public class VectorMathTests
{
    [Fact]
    public void Exp_OverItsRange_IsExactToTwoUnitsInTheLastPlace()
    {
        for (float x = -87.3f; x < 88f; x += 0.0137f)
        {
            double expected = Math.Exp(x);
            Assert.InRange(Math.Abs(VectorMath.Exp(Vector256.Create(x))[3] - expected) / expected, 0, 2.4e-7);
        }
    }

    [Fact]
    public void Exp_AtTheEdges_IsOneZeroOrLarge()
    {
        Assert.Equal(1f, VectorMath.Exp(Vector256<float>.Zero)[0]);
        Assert.Equal(0f, VectorMath.Exp(Vector256.Create(float.NegativeInfinity))[0]);
        Assert.Equal(0f, VectorMath.Exp(Vector256.Create(-1e30f))[0]);
        Assert.True(VectorMath.Exp(Vector256.Create(1e30f))[0] > 1e38f);
        Assert.True(float.IsNaN(VectorMath.Exp(Vector256.Create(float.NaN))[0]));
    }
}
