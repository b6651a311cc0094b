/** The wheels of NVIDIA's cuBLAS that can be fetched: of each CUDA the one that PyTorch of its time takes, as the Python package index has them. */

export interface Wheel {
  /** CUDA that it belongs to. */
  readonly major: number;
  readonly platform: 'linux x64' | 'win32 x64';
  readonly version: string;
  /** Under {@link PACKAGE_FILES}. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Where the Python package index keeps its files. */
export const PACKAGE_FILES = 'https://files.pythonhosted.org/packages';

/** The terms in words; the whole text is in the wheel. */
export const LICENCE = 'NVIDIA CUDA Toolkit End User License Agreement (https://docs.nvidia.com/cuda/eula/)';

export const WHEELS: readonly Wheel[] = [
  {
    major: 13,
    platform: 'linux x64',
    version: '13.1.1.3',
    path: '3b/cd/154ca20c38269e05eff77c1464e6c1da89f50a6390b565e9d82e06bc11e1/nvidia_cublas-13.1.1.3-py3-none-manylinux_2_27_x86_64.whl',
    bytes: 423_138_758,
    sha256: '37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436',
  },
  {
    major: 13,
    platform: 'win32 x64',
    version: '13.1.1.3',
    path: '45/9e/2f562daf80eb8f7a685fb7bea4fda71f6048e4f359d6fdd1b6e70206cb2f/nvidia_cublas-13.1.1.3-py3-none-win_amd64.whl',
    bytes: 404_358_158,
    sha256: 'b6cdce694e47ff6aadf0a69df1cab6628d696f5ff56e8d16af50309d855fa20f',
  },
  {
    major: 12,
    platform: 'linux x64',
    version: '12.9.1.4',
    path: '77/3c/aa88abe01f3be3d1f8f787d1d33dc83e76fec05945f9a28fbb41cfb99cd5/nvidia_cublas_cu12-12.9.1.4-py3-none-manylinux_2_27_x86_64.whl',
    bytes: 581_242_350,
    sha256: '453611eb21a7c1f2c2156ed9f3a45b691deda0440ec550860290dc901af5b4c2',
  },
  {
    major: 12,
    platform: 'win32 x64',
    version: '12.9.1.4',
    path: '45/a1/a17fade6567c57452cfc8f967a40d1035bb9301db52f27808167fbb2be2f/nvidia_cublas_cu12-12.9.1.4-py3-none-win_amd64.whl',
    bytes: 553_153_899,
    sha256: '1e5fee10662e6e52bd71dec533fbbd4971bb70a5f24f3bc3793e5c2e9dc640bf',
  },
];
